#include "audio/integer_samples.hpp"

#include "audio/float_scale.hpp"

namespace dictum::audio {

bool IntegerSamples::scale(std::span<float> samples) {
  const bool was_recognized = factor_ != 1.0F;
  if (!was_recognized) factor_ = float_scale(samples).value_or(1.0F);
  if (factor_ == 1.0F) return false;
  for (float& sample : samples) sample *= factor_;
  return !was_recognized;
}

}  // namespace dictum::audio
