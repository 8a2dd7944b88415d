#include "audio/integer_samples.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dictum::audio {
namespace {

constexpr float kFullScale = 32768;
constexpr float kBeyondFloat = 64;

bool are_integers(std::span<const float> samples) {
  float peak = 0;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  if (!(peak > 1) || peak > kFullScale) return false;
  return peak > kBeyondFloat || std::ranges::all_of(samples, [](float sample) { return std::trunc(sample) == sample; });
}

}  // namespace

bool IntegerSamples::scale(std::span<float> samples) {
  const bool was_recognized = is_recognized_;
  is_recognized_ = was_recognized || are_integers(samples);
  if (!is_recognized_) return false;
  for (float& sample : samples) sample /= kFullScale;
  return !was_recognized;
}

}  // namespace dictum::audio
