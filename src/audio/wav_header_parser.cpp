#include "audio/wav_header_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

constexpr std::uint64_t kMostSkipped = 16U << 20;  // pictures and notes before the audio

// Writers that do not know the length say 0, or about 2 or 4 GiB: arecord 0x7FFFFFFF and less, sox 0x7FFFF000.
constexpr std::uint32_t kUnknownLength = 0x7FFF'0000;

constexpr std::uint32_t kPCM = 1;
constexpr std::uint32_t kFloat = 3;
constexpr std::uint32_t kExtensible = 0xFFFE;

[[noreturn]] void refuse(std::string sentence) {
  throw RecorderError(Errc::input_unreadable, std::move(sentence));
}

std::optional<SampleFormat> sample_format_of(std::uint32_t encoding, std::uint32_t bits) {
  if (encoding == kPCM && bits == 8) return SampleFormat::u8;
  if (encoding == kPCM && bits == 16) return SampleFormat::s16;
  if (encoding == kPCM && bits == 24) return SampleFormat::s24;
  if (encoding == kPCM && bits == 32) return SampleFormat::s32;
  if (encoding == kFloat && bits == 32) return SampleFormat::f32;
  if (encoding == kFloat && bits == 64) return SampleFormat::f64;
  return std::nullopt;
}

}  // namespace

std::size_t WAVHeaderParser::parse(std::span<const std::byte> bytes) {
  std::size_t used = 0;
  while (!done() && used < bytes.size()) {
    if (skip_ > 0) {
      const std::uint64_t count = std::min<std::uint64_t>(skip_, bytes.size() - used);
      skip_ -= count;
      used += static_cast<std::size_t>(count);
      continue;
    }
    const std::size_t count = std::min(expected_ - have_, bytes.size() - used);
    std::memcpy(piece_.data() + have_, bytes.data() + used, count);
    have_ += count;
    used += count;
    if (have_ == expected_) take();
  }
  return used;
}

void WAVHeaderParser::take() {
  switch (step_) {
    case Step::riff:
      return take_riff();
    case Step::chunk:
      return take_chunk();
    case Step::fmt:
      return take_fmt();
    case Step::done:
      return;
  }
}

void WAVHeaderParser::take_riff() {
  if (!(reads(0, "RIFF") || reads(0, "RF64")) || !reads(8, "WAVE")) refuse("The stream is not a WAV: send WAV.");
  expect(Step::chunk, 8);
}

void WAVHeaderParser::take_chunk() {
  const std::uint32_t size = number(4, 4);
  if (reads(0, "fmt ")) {
    if (size < 16) refuse("The WAV stream has a damaged header (its format is too short): send it again.");
    fmt_size_ = size;
    expect(Step::fmt, std::min<std::size_t>(size, piece_.size()));
  } else if (reads(0, "data")) {
    if (!has_format_) refuse("The WAV stream has a damaged header (no format before the audio): send it again.");
    if (size > 0 && size < kUnknownLength) audio_bytes_ = size;
    step_ = Step::done;
  } else {
    skip(std::uint64_t{size} + size % 2);  // chunks begin at even bytes
    expect(Step::chunk, 8);
  }
}

void WAVHeaderParser::take_fmt() {
  std::uint32_t encoding = number(0, 2);
  const std::uint32_t channels = number(2, 2);
  const std::uint32_t rate = number(4, 4);
  const std::uint32_t bits = number(14, 2);
  if (encoding == kExtensible && have_ >= 26) encoding = number(24, 2);

  const auto sample_format = sample_format_of(encoding, bits);
  if (!sample_format) {
    refuse(
        fmt::format("The WAV stream is encoded in a way (number {}, {} bits) that cannot be read: send whole numbers "
                    "of 8, 16, 24 or 32 bits, or floating-point ones.",
                    encoding, bits));
  }
  sample_format_ = *sample_format;
  constexpr std::uint32_t most = std::numeric_limits<int>::max();
  format_ = {.sample_rate = static_cast<int>(std::min(rate, most)), .channels = static_cast<int>(channels)};
  require_usable(format_, "The WAV stream");
  has_format_ = true;
  skip(fmt_size_ + fmt_size_ % 2 - have_);
  expect(Step::chunk, 8);
}

void WAVHeaderParser::skip(std::uint64_t bytes) {
  skip_ = bytes;
  skipped_ += bytes + 8;
  if (skipped_ > kMostSkipped) refuse("The WAV stream holds 16 MiB and no audio yet: send it without pictures.");
}

void WAVHeaderParser::expect(Step step, std::size_t bytes) {
  step_ = step;
  expected_ = bytes;
  have_ = 0;
}

std::uint32_t WAVHeaderParser::number(std::size_t at, std::size_t bytes) const {
  std::uint32_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(piece_[at + i]);
  return value;
}

bool WAVHeaderParser::reads(std::size_t at, const char* four) const {
  return std::memcmp(piece_.data() + at, four, 4) == 0;
}

}  // namespace dictum::audio
