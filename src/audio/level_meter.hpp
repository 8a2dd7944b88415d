#pragma once

#include <cstddef>
#include <span>

namespace dictum::audio {

/// How loud a stretch of audio is, in decibels below full scale: a constant 1 has 0 dBFS, a sine of amplitude 1 has an
/// rms of -3.01 dBFS. Never below kSilenceDBFS, which digital silence has.
struct Level {
  double rms_dbfs{};
  double peak_dbfs{};
};

inline constexpr double kSilenceDBFS = -120;

double dbfs(double amplitude);

/// Measures the level of the audio since the last reading. One thread at a time; does not fail.
class LevelMeter {
 public:
  void add(std::span<const float> mono);

  /// The level of all that was added since the last call, which begins the next stretch.
  Level take();

 private:
  double energy_ = 0;
  float peak_ = 0;
  std::size_t samples_ = 0;
};

}  // namespace dictum::audio
