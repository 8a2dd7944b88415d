#pragma once

#include <string_view>

#include "dictum/source.hpp"

namespace dictum::audio {

/// What a recording can be made of. Below the lowest rate there is no speech to find; above the highest no device is.
inline constexpr int kLowestRate = 4'000;
inline constexpr int kHighestRate = 768'000;
inline constexpr int kMaxChannels = 64;

/// Throws RecorderError(input_unreadable) where `format` is outside these limits; `what` (a file, a stream) begins the
/// sentence.
void require_usable(AudioFormat format, std::string_view what);

}  // namespace dictum::audio
