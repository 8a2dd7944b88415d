#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "audio/sound_input.hpp"
#include "dictum/source.hpp"

namespace dictum::audio {

/// Opens `path` for reading where it is a regular file that is not empty; a pipe or a device is never waited for.
/// Throws RecorderError: input_not_found where there is no such file, else input_unreadable.
UniqueFD open_sound_file(const std::filesystem::path& path);

/// Reads a sound file of any kind to its end (see SoundInput). A file that ends before its header says so is read as
/// far as it goes.
///
/// One thread at a time; owned by whoever reads. The constructor throws what open_sound_file and SoundInput throw, and
/// input_unreadable where the file holds no audio.
class SoundFileReader {
 public:
  explicit SoundFileReader(const std::filesystem::path& path, std::optional<RawFormat> raw = std::nullopt);

  /// A file that is open already; `path` is its name in sentences.
  SoundFileReader(UniqueFD file, const std::filesystem::path& path, std::optional<RawFormat> raw = std::nullopt);

  AudioFormat format() const { return input_.format(); }

  /// As far as the file itself announces it; -1 where it does not. What `read` delivers counts.
  std::int64_t frames() const { return input_.frames(); }

  /// Reads whole frames, as many as fit: fewer only at the end, 0 after it. Blocks while they are decoded, for half a
  /// minute at most; then the file ends.
  std::size_t read(std::span<float> interleaved);

  /// As `read`, but returns with fewer frames, and sets `is_over` only at the end, where decoding takes longer than
  /// `patience`.
  std::size_t read_some(std::span<float> interleaved, std::chrono::milliseconds patience, bool& is_over);

  /// Continues from `frame`; what is decoded by another process only goes forward. Throws
  /// RecorderError(input_unreadable) where the file cannot.
  void seek(std::int64_t frame);

  /// The next sentence about what is wrong with the file, such as why less is read than it should hold.
  std::optional<std::string> take_notice() { return input_.take_notice(); }

  /// How many samples so far were no finite numbers; they are delivered as 0.
  std::int64_t repaired_samples() const { return input_.repaired_samples(); }

 private:
  std::filesystem::path path_;
  SoundInput input_;
  std::int64_t position_ = 0;  // frames delivered, or sought
};

}  // namespace dictum::audio
