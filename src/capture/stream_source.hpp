#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audio/sample_format.hpp"
#include "audio/wav_header_parser.hpp"
#include "base/unique_fd.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// Samples without a header.
struct RawFormat {
  audio::SampleFormat sample{};
  AudioFormat audio;
  bool operator==(const RawFormat&) const = default;
};

/// Reads "s16le:48000:2" (also u8, s24le, s32le, f32le, f64le). Throws RecorderError.
RawFormat parse_raw_format(std::string_view text);

/// Audio from a pipe, a socket or standard input, paced by whoever writes it. A WAV header is recognised, also one
/// whose writer did not know the length; else the stream holds samples of the given raw format. It ends with its
/// writer; at most the bytes of an unfinished frame are lost.
///
/// Threads and owner as AudioSource says. `open` waits for the first bytes, up to the deadline; it throws
/// RecorderError, timed_out or input_unreadable. `read` never waits. The descriptor stays open while the source is
/// closed; what its writer wrote meanwhile is not heard.
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
  enum class Arrival { bytes, nothing, end };

  void read_header();
  void drop_waiting();
  Arrival receive(std::chrono::milliseconds patience, std::size_t most);
  [[noreturn]] void refuse(std::string_view what) const;

  const UniqueFD fd_;
  const std::string name_;
  const std::optional<RawFormat> raw_;
  const std::chrono::milliseconds deadline_;

  std::optional<RawFormat> format_;    // from the first open() on
  std::optional<std::uint64_t> left_;  // bytes of audio to come, where the header told
  std::vector<std::byte> waiting_;     // received and not delivered: less than a frame between two readings
  int error_ = 0;                      // of the descriptor: the stream is over
  bool ended_ = false;
};

}  // namespace dictum::capture
