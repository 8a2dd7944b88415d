#include "audio/pcm16.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

namespace dictum::audio {

void to_pcm16(std::span<const float> samples, std::span<std::int16_t> pcm) {
  assert(samples.size() == pcm.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const bool finite = std::abs(samples[i]) <= std::numeric_limits<float>::max();  // false for NaN
    const float scaled = std::clamp(finite ? samples[i] * 32768.0F : 0.0F, -32768.0F, 32767.0F);
    // Half away from zero, then cut: the compiler turns this into vector instructions, which std::lround is not.
    pcm[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(scaled + std::copysign(0.5F, scaled)));
  }
}

}  // namespace dictum::audio
