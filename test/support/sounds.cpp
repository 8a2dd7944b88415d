#include "support/sounds.hpp"

#include <sndfile.h>
#include <soxr.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace dictum::test {
namespace {

using File = std::unique_ptr<SNDFILE, decltype(&sf_close)>;

File open(const std::filesystem::path& file, int mode, SF_INFO& info) {
  File opened(sf_open(file.c_str(), mode, &info), sf_close);
  if (!opened) throw std::runtime_error(file.string() + ": " + sf_strerror(nullptr));
  return opened;
}

int format_of(SampleType type) {
  switch (type) {
    case SampleType::pcm16:
      return SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    case SampleType::pcm24:
      return SF_FORMAT_WAV | SF_FORMAT_PCM_24;
    case SampleType::float32:
      return SF_FORMAT_WAV | SF_FORMAT_FLOAT;
  }
  throw std::logic_error("no such sample type");
}

void append(std::string& bytes, std::uint32_t value, int size) {  // little endian
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

}  // namespace

Sound read_sound(const std::filesystem::path& file) {
  SF_INFO info{};
  const File in = open(file, SFM_READ, info);
  Sound sound{.sample_rate = info.samplerate, .channels = info.channels, .samples = {}};
  sound.samples.resize(static_cast<std::size_t>(info.frames) * static_cast<std::size_t>(info.channels));
  if (sf_readf_float(in.get(), sound.samples.data(), info.frames) != info.frames) {
    throw std::runtime_error(file.string() + " cannot be read to its end");
  }
  return sound;
}

void write_wav(const std::filesystem::path& file, const Sound& sound, SampleType type) {
  SF_INFO info{};
  info.samplerate = sound.sample_rate;
  info.channels = sound.channels;
  info.format = format_of(type);
  const File out = open(file, SFM_WRITE, info);
  sf_command(out.get(), SFC_SET_CLIPPING, nullptr, SF_TRUE);
  if (sf_writef_float(out.get(), sound.samples.data(), sound.frames()) != sound.frames()) {
    throw std::runtime_error(file.string() + " cannot be written");
  }
}

Sound resampled(const Sound& sound, int sample_rate) {
  if (sample_rate == sound.sample_rate) return sound;
  const auto channels = static_cast<std::size_t>(sound.channels);
  const auto frames = static_cast<std::size_t>(std::llround(sound.seconds() * sample_rate));
  Sound changed{
      .sample_rate = sample_rate, .channels = sound.channels, .samples = std::vector<float>(frames * channels)};
  std::size_t made = 0;
  const soxr_error_t error = soxr_oneshot(sound.sample_rate, sample_rate, static_cast<unsigned>(channels),
                                          sound.samples.data(), static_cast<std::size_t>(sound.frames()), nullptr,
                                          changed.samples.data(), frames, &made, nullptr, nullptr, nullptr);
  if (error != nullptr) throw std::runtime_error(std::string("libsoxr: ") + error);
  changed.samples.resize(made * channels);
  return changed;
}

Sound stereo(const Sound& mono) {
  Sound both{.sample_rate = mono.sample_rate, .channels = 2, .samples = {}};
  both.samples.reserve(mono.samples.size() * 2);
  std::uint32_t state = 1;
  for (const float sample : mono.samples) {
    state = state * 1664525 + 1013904223;
    const float noise = static_cast<float>(state >> 8) / static_cast<float>(1 << 24) * 0.02F - 0.01F;
    both.samples.push_back(sample + noise);
    both.samples.push_back(sample - noise);
  }
  return both;
}

Sound with_silence_after(Sound sound, double seconds) {
  const auto frames = static_cast<std::size_t>(std::llround(seconds * sound.sample_rate));
  sound.samples.resize(sound.samples.size() + frames * static_cast<std::size_t>(sound.channels));
  return sound;
}

std::string RawWAV::bytes() const {
  const std::uint32_t frame = channels * bits / 8u;
  std::string wav = "RIFF";
  append(wav, 36 + announced_bytes, 4);
  wav += "WAVEfmt ";
  append(wav, 16, 4);
  append(wav, is_float ? 3 : 1, 2);
  append(wav, channels, 2);
  append(wav, sample_rate, 4);
  append(wav, sample_rate * frame, 4);
  append(wav, frame, 2);
  append(wav, bits, 2);
  wav += "data";
  append(wav, announced_bytes, 4);
  return wav + data;
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw std::runtime_error(file.string() + " cannot be written");
}

}  // namespace dictum::test
