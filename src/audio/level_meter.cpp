#include "audio/level_meter.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dictum::audio {

double dbfs(double amplitude) {
  return amplitude > 0 ? std::max(kSilenceDBFS, 20 * std::log10(amplitude)) : kSilenceDBFS;
}

void LevelMeter::add(std::span<const float> mono) {
  for (const float sample : mono) {
    energy_ += double{sample} * sample;
    peak_ = std::max(peak_, std::abs(sample));
  }
  samples_ += mono.size();
}

Level LevelMeter::take() {
  const double mean_square = samples_ > 0 ? energy_ / static_cast<double>(samples_) : 0;
  const Level level{.rms_dbfs = dbfs(std::sqrt(mean_square)), .peak_dbfs = dbfs(double{peak_})};
  *this = LevelMeter();
  return level;
}

}  // namespace dictum::audio
