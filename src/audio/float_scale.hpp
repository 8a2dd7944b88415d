#pragma once

#include <optional>
#include <span>

namespace dictum::audio {

/// Samples that are all smaller than this are not scaled.
inline constexpr float kLeastScaled = 2.0F;

/// The factor that brings floating-point samples to the range of -1 to 1. Some programs store 16-bit numbers as floats
/// without dividing them: the samples are whole numbers beyond 1, or go further beyond it than any mix does (by more
/// than 24 dB). Sound that is only too loud keeps its values: the factor is 1.
///
/// `samples` are some thousand from the first one on that is not 0. Empty where they do not decide it, as where all are
/// 0, 1 or -1. Safe from any thread.
std::optional<float> float_scale(std::span<const float> samples) noexcept;

}  // namespace dictum::audio
