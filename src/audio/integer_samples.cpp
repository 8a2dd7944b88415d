#include "audio/integer_samples.hpp"

#include <cmath>

#include "audio/float_scale.hpp"

namespace dictum::audio {
namespace {

/// Whether `float_scale` can say anything but 1 of these. In a form that compilers turn into vectors: it is asked of
/// every block of a stream.
bool has_large_samples(std::span<const float> samples) {
  int large = 0;
  for (const float sample : samples) large |= static_cast<int>(std::abs(sample) >= kLeastScaled);
  return large != 0;
}

}  // namespace

bool IntegerSamples::scale(std::span<float> samples) {
  const bool was_recognized = factor_ != 1.0F;
  if (!was_recognized && has_large_samples(samples)) factor_ = float_scale(samples).value_or(1.0F);
  if (factor_ == 1.0F) return false;
  for (float& sample : samples) sample *= factor_;
  return !was_recognized;
}

}  // namespace dictum::audio
