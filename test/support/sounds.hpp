#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// Sounds for tests, made by libsndfile and libsoxr: by other code than that under test. Everything throws
/// std::runtime_error where it does not work.
namespace dictum::test {

struct Sound {
  int sample_rate = 16000;
  int channels = 1;
  std::vector<float> samples;  ///< interleaved

  std::int64_t frames() const { return static_cast<std::int64_t>(samples.size()) / channels; }
  double seconds() const { return static_cast<double>(frames()) / sample_rate; }
};

Sound read_sound(const std::filesystem::path& file);

enum class SampleType { pcm16, pcm24, float32 };

void write_wav(const std::filesystem::path& file, const Sound& sound, SampleType type = SampleType::pcm16);

Sound resampled(const Sound& sound, int sample_rate);

/// The same on two channels, each with half of a noise that the mean of both takes out again.
Sound stereo(const Sound& mono);

Sound with_silence_after(Sound sound, double seconds);

/// A WAV byte by byte, for headers that no library would write.
struct RawWAV {
  std::uint32_t sample_rate = 16000;
  std::uint16_t channels = 1;
  std::uint16_t bits = 16;
  bool is_float = false;
  std::string data;
  std::uint32_t announced_bytes = static_cast<std::uint32_t>(data.size());  ///< what the header says of `data`

  std::string bytes() const;
};

void write_bytes(const std::filesystem::path& file, const std::string& bytes);

}  // namespace dictum::test
