#include "audio/wav_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <limits>
#include <utility>
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
  try {
    write_header();
  } catch (const RecorderError&) {
    ::unlink(path.c_str());  // ours, and nothing is in it
    throw;
  }
}

WAVWriter::WAVWriter(OutputFile file, int sample_rate) : file_(std::move(file)), sample_rate_(sample_rate) {
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
  const Frame before = std::exchange(frames_, frames);
  try {
    write_header();
    file_.truncate(end_of(frames_));
  } catch (const RecorderError&) {
    frames_ = before;
    throw;
  }
}

void WAVWriter::close() {
  file_.close();
}

void WAVWriter::write_header() {
  const std::string header = wav_header(frames_, sample_rate_);
  file_.write_at(0, std::as_bytes(std::span(header)));
}

std::string wav_header(Frame frames, int sample_rate) {
  std::string header;
  const auto number = [&](std::int64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) header += static_cast<char>(value >> (8 * i) & 0xFF);
  };
  header += "RIFF";
  number(end_of(frames) - 8, 4);
  header += "WAVEfmt ";
  number(16, 4);
  number(1, 2);  // PCM
  number(1, 2);  // channel
  number(sample_rate, 4);
  number(sample_rate * kFrameSize, 4);
  number(kFrameSize, 2);
  number(8 * kFrameSize, 2);
  header += "data";
  number(frames * kFrameSize, 4);
  return header;
}

}  // namespace dictum::audio
