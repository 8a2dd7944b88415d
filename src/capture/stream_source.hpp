#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "audio/raw_format.hpp"
#include "audio/sound_input.hpp"
#include "base/unique_fd.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

using audio::parse_raw_format;
using audio::RawFormat;

/// Audio from a pipe, a socket or standard input, paced by its writer. Every kind of sound file is recognised (see
/// audio::SoundInput), also one whose writer did not know the length; else the stream holds samples of the given raw
/// format. It ends with its writer; at most the bytes of an unfinished frame are lost. What is wrong with the stream is
/// reported as SourceFaults.
///
/// Threads and owner as AudioSource says. `open` waits for the first audio, up to the deadline; it throws
/// RecorderError, timed_out or input_unreadable. `read` never waits. The descriptor stays open while the source is
/// closed; what its writer wrote meanwhile is dropped, and a regular file continues where it was.
class StreamSource final : public AudioSource {
 public:
  /// `name` is for people, for example "standard input".
  StreamSource(UniqueFD fd, std::string name, std::optional<RawFormat> raw = std::nullopt,
               std::chrono::milliseconds deadline = std::chrono::seconds(10));

  AudioFormat open() override;
  Reading read(std::span<float> interleaved) override;
  void close() noexcept override {}
  std::string description() const override { return "stream:" + name_; }

 private:
  void drop_waiting();

  UniqueFD fd_;  // until the first open()
  const std::string name_;
  const std::optional<RawFormat> raw_;
  const std::chrono::milliseconds deadline_;
  bool is_regular_file_ = false;
  std::optional<audio::SoundInput> input_;  // from the first open() on
  bool ended_ = false;
};

}  // namespace dictum::capture
