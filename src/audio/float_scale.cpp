#include "audio/float_scale.hpp"

#include <algorithm>
#include <cmath>

namespace dictum::audio {

std::optional<float> float_scale(std::span<const float> samples) noexcept {
  constexpr int kEnough = 8;                // samples beyond the range, which a glitch alone does not make
  constexpr float kLoudest = 16.0F;         // 24 dB over full scale: what a mix may reach
  constexpr float kLargestNumber = 40'000;  // 16 bits, and what a filter may add
  int beyond_one = 0;
  int beyond_loudest = 0;
  bool has_fractions = false;
  float peak = 0;
  for (const float sample : samples) {
    if (!std::isfinite(sample)) continue;
    const float size = std::abs(sample);
    peak = std::max(peak, size);
    if (size != std::floor(size)) has_fractions = true;
    if (size >= kLeastScaled) ++beyond_one;
    if (size > kLoudest) ++beyond_loudest;
  }
  if (peak > kLargestNumber || (has_fractions && beyond_loudest < kEnough)) return 1.0F;
  if (has_fractions || beyond_one >= kEnough) return 1.0F / 32768.0F;
  return std::nullopt;
}

}  // namespace dictum::audio
