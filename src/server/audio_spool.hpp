#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "base/unique_fd.hpp"
#include "dictum/frame.hpp"
#include "dictum/source.hpp"
#include "server/disk_reserve.hpp"

namespace dictum::server {

/// Audio on disk between a microphone and a server: a WAV file of 32-bit floats that any program plays. Frames that are
/// missing are silence in it, and are passed over by `read`; those that were released give their space back.
///
/// Threads: `append`, `skip` and `finish` are one thread's, the others another's. Owner: the sender. Throws
/// RecorderError(output_unwritable, disk_full) where the file cannot be made or written; what was not written is
/// missing then.
class AudioSpool {
 public:
  /// Makes the file, for its user alone. `on_change` is called after each change by the writing thread, from its
  /// thread. Of the disk `reserve` bytes stay free, about: below that it counts as full.
  AudioSpool(std::filesystem::path file, AudioFormat format, std::function<void()> on_change,
             std::uint64_t reserve = kDiskReserve);

  /// Removes the file where every frame has been released; else it stays.
  ~AudioSpool();
  AudioSpool(const AudioSpool&) = delete;
  AudioSpool& operator=(const AudioSpool&) = delete;

  const std::filesystem::path& file() const { return file_; }
  AudioFormat format() const { return format_; }

  void append(std::span<const float> interleaved);
  void skip(Frame frames);

  /// Nothing follows. Frames that are missing at the end are dropped: no audio behind them needs their length.
  void finish();

  /// Frames so far, the missing ones included.
  Frame end() const;
  bool is_finished() const;

  struct Block {
    Frame first{};
    std::string bytes;  ///< of its frames, 32-bit floats in little-endian order
  };

  /// The next frames that are there from `from` on, at most `frames`; empty where there are none yet. Throws
  /// RecorderError(input_unreadable).
  std::optional<Block> read(Frame from, Frame frames) const;

  /// Frames before this one are not needed any more.
  void release(Frame before);
  Frame released() const { return released_; }

 private:
  struct Gap {
    Frame begin{};
    Frame end{};
  };
  struct State {
    Frame end = 0;
    std::vector<Gap> gaps;
    bool is_finished = false;
  };

  const std::filesystem::path file_;
  const AudioFormat format_;
  const std::size_t frame_bytes_;
  const std::function<void()> on_change_;
  const std::uint64_t reserve_;
  std::uint64_t unchecked_;  // bytes written since there was room; of the writing thread
  UniqueFD fd_;
  Guarded<State> state_;
  Frame released_ = 0;
};

}  // namespace dictum::server
