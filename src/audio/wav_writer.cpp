#include "audio/wav_writer.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

constexpr std::int64_t kHeaderSize = 44;
constexpr std::int64_t kFrameSize = 2;
// The sizes in a header have 32 bits.
constexpr Frame kMaxFrames = (std::numeric_limits<std::uint32_t>::max() - kHeaderSize) / kFrameSize;

std::int64_t end_of(Frame frames) {
  return kHeaderSize + frames * kFrameSize;
}

}  // namespace

WAVWriter::WAVWriter(const std::filesystem::path& path, int sample_rate) : file_(path), sample_rate_(sample_rate) {
  write_header();
}

void WAVWriter::append(std::span<const std::int16_t> samples) {
  if (static_cast<Frame>(samples.size()) > kMaxFrames - frames_) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("'{}' would grow over the 4 GiB that a WAV file holds: keep shorter segments.",
                                    file_.path().string()));
  }
  const Frame before = frames_;
  try {
    write_samples(samples);
    frames_ += static_cast<Frame>(samples.size());
    write_header();
  } catch (const RecorderError&) {
    frames_ = before;
    file_.truncate(end_of(frames_));
    throw;
  }
}

void WAVWriter::write_samples(std::span<const std::int16_t> samples) {
  if constexpr (std::endian::native == std::endian::little) {
    file_.write_at(end_of(frames_), std::as_bytes(samples));
  } else {
    std::vector<std::uint16_t> swapped(samples.begin(), samples.end());
    for (auto& sample : swapped) sample = static_cast<std::uint16_t>(sample << 8 | sample >> 8);
    file_.write_at(end_of(frames_), std::as_bytes(std::span(swapped)));
  }
}

void WAVWriter::truncate(Frame frames) {
  if (frames >= frames_) return;
  frames_ = frames;
  write_header();
  file_.truncate(end_of(frames_));
}

void WAVWriter::close() {
  file_.close();
}

void WAVWriter::write_header() {
  std::array<std::byte, kHeaderSize> header;
  std::size_t size = 0;
  const auto text = [&](std::string_view four) {
    std::memcpy(header.data() + size, four.data(), four.size());
    size += four.size();
  };
  const auto number = [&](std::int64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) header[size++] = static_cast<std::byte>(value >> (8 * i) & 0xFF);
  };
  text("RIFF");
  number(end_of(frames_) - 8, 4);
  text("WAVE");
  text("fmt ");
  number(16, 4);
  number(1, 2);  // PCM
  number(1, 2);  // channel
  number(sample_rate_, 4);
  number(sample_rate_ * kFrameSize, 4);
  number(kFrameSize, 2);
  number(8 * kFrameSize, 2);
  text("data");
  number(frames_ * kFrameSize, 4);
  file_.write_at(0, header);
}

}  // namespace dictum::audio
