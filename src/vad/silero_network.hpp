#pragma once

#include <array>
#include <span>

#include "dictum/vad.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {

/// The network's memory: what it carries from window to window, and room for what is between its layers. A fresh one
/// is at the start of a stream.
///
/// Threads: one at a time. Owner: SileroVAD. Never fails, never allocates.
struct SileroNetwork {
  static constexpr std::size_t kContext = 64;
  static constexpr std::size_t kPadding = 64;
  static constexpr std::size_t kHeard = kContext + kVADWindow;
  static constexpr std::size_t kFrames = (kHeard + kPadding - SileroWeights::kSTFTSize) / SileroWeights::kHop + 1;
  static constexpr std::size_t kSpectrumStride = 272;  ///< 129 real and 129 imaginary parts, in whole panels
  static_assert(kFrames == 4 && kSpectrumStride % LinearLayer::kPanel == 0 &&
                kSpectrumStride >= 2 * SileroWeights::kBins);

  /// Where the next window's samples go; finite ones.
  std::span<float, kVADWindow> window() { return std::span(signal).subspan<kContext, kVADWindow>(); }

  /// Runs the network on the window, with the widest vectors that the processor has.
  float run(const SileroWeights& weights);

  // Carried on: the first kContext samples of `signal`, `cell`, and the second half of `lstm_input`.
  alignas(64) std::array<float, kHeard + kPadding> signal{};
  alignas(64) std::array<float, SileroWeights::kHidden> cell{};
  alignas(64) std::array<float, 2 * SileroWeights::kHidden> lstm_input{};  ///< the features, then the hidden state

  // Between the layers, time by channel. The rows that stand for the padding of a convolution stay zero.
  alignas(64) std::array<float, kFrames * kSpectrumStride> spectrum{};
  alignas(64) std::array<float, (kFrames + 2) * SileroWeights::kBins> magnitudes{};  ///< padded on both sides
  alignas(64) std::array<float, (kFrames + 1) * SileroWeights::kWide> first{};       ///< padded in front
  alignas(64) std::array<float, 2 * SileroWeights::kNarrow> second{};
  alignas(64) std::array<float, SileroWeights::kNarrow> third{};
  alignas(64) std::array<float, 4 * SileroWeights::kHidden> gates{};
};

}  // namespace dictum::vad
