#pragma once

#include <sndfile.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <stdexcept>
#include <vector>

namespace dictum::test {

/// Writes `samples` as PCM16, interleaved where there are several channels.
inline void write_wav(const std::filesystem::path& path, const std::vector<float>& samples, int rate,
                      int channels = 1) {
  SF_INFO info{.frames = 0,
               .samplerate = rate,
               .channels = channels,
               .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16,
               .sections = 0,
               .seekable = 0};
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error(path.string() + ": " + sf_strerror(nullptr));
  sf_writef_float(file, samples.data(), static_cast<sf_count_t>(samples.size()) / channels);
  sf_close(file);
}

/// A sine of half the full scale.
inline std::vector<float> tone(double hertz, double seconds, int rate) {
  std::vector<float> samples(static_cast<std::size_t>(seconds * rate));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  }
  return samples;
}

}  // namespace dictum::test
