#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "audio/sample_format.hpp"
#include "dictum/source.hpp"

namespace dictum::audio {

/// Reads the header of a WAV that comes as a stream, in pieces of any size and without going back: all up to the first
/// byte of audio. Takes a fixed amount of memory whatever the header says.
///
/// One thread at a time; owned by the source of the stream. `parse` throws RecorderError(input_unreadable) where the
/// stream is no WAV, holds another encoding than whole or floating-point numbers, or has a rate or a number of channels
/// outside the limits in "audio/format.hpp".
class WAVHeaderParser {
 public:
  /// Takes bytes of the header and returns how many they were; the rest is audio. All of `bytes` until `done`.
  std::size_t parse(std::span<const std::byte> bytes);

  /// Whether the header is complete: only then the following have a meaning.
  bool done() const { return step_ == Step::done; }

  AudioFormat format() const { return format_; }
  SampleFormat sample_format() const { return sample_format_; }

  /// Bytes of audio; empty where the writer did not know and they go on to the end of the stream.
  std::optional<std::uint64_t> audio_bytes() const { return audio_bytes_; }

 private:
  enum class Step { riff, chunk, fmt, done };

  void take();
  void take_riff();
  void take_chunk();
  void take_fmt();
  void skip(std::uint64_t bytes);
  void expect(Step step, std::size_t bytes);
  std::uint32_t number(std::size_t at, std::size_t bytes) const;
  bool reads(std::size_t at, const char* four) const;

  Step step_ = Step::riff;
  std::array<std::byte, 40> piece_{};  // what the step is waiting for: 40 is the longest fmt that matters
  std::size_t expected_ = 12;
  std::size_t have_ = 0;
  std::uint64_t skip_ = 0;
  std::uint64_t skipped_ = 0;

  bool has_format_ = false;
  std::uint64_t fmt_size_ = 0;
  AudioFormat format_;
  SampleFormat sample_format_{};
  std::optional<std::uint64_t> audio_bytes_;
};

}  // namespace dictum::audio
