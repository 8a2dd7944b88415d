#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "dictum/vad.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {

/// What the network carries from window to window of one stream. A new one is at the start of a stream.
///
/// Threads: one at a time. Owner: SileroVAD.
struct SileroStream {
  static constexpr std::size_t kContext = 64;  ///< samples of the window before
  static constexpr std::size_t kPadding = 64;
  static_assert(kContext + kVADWindow + kPadding == STFT::kSamples);

  /// Where the samples of the next window go; finite ones.
  std::span<float, kVADWindow> window() { return std::span(signal).subspan<kContext, kVADWindow>(); }

  alignas(64) std::array<float, STFT::kSamples> signal{};  ///< context, window, and padding, which the network fills
  alignas(64) std::array<float, SileroWeights::kHidden> cell{};
  alignas(64) std::array<float, SileroWeights::kHidden> hidden{};
  float probability = 0;  ///< of the last window
};

}  // namespace dictum::vad
