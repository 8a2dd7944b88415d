#include "vad/silero_vad.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dictum::vad {
namespace {

constexpr float kLoudest = 1e6f;  // a million times full scale: no layer overflows

}  // namespace

SileroVAD::SileroVAD(std::shared_ptr<const SileroWeights> weights) : weights_(std::move(weights)) {}

float SileroVAD::probability(std::span<const float, kVADWindow> window) {
  std::ranges::transform(window, network_.window().begin(), [](float sample) {
    return std::isfinite(sample) ? std::clamp(sample, -kLoudest, kLoudest) : 0.0f;
  });
  return network_.run(*weights_);
}

void SileroVAD::reset() {
  network_ = {};
}

}  // namespace dictum::vad
