#pragma once

#include <cstdint>
#include <span>

namespace dictum::audio {

/// Converts samples of -1 to 1 to 16 bits: rounds to the nearest, saturates, and makes 0 of what is not a finite
/// number. A 16-bit sample that was divided by 32768 comes back exactly. Both spans have the same size.
void to_pcm16(std::span<const float> samples, std::span<std::int16_t> pcm);

}  // namespace dictum::audio
