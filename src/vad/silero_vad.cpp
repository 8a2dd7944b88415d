#include "vad/silero_vad.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "vad/silero_network.hpp"

namespace dictum::vad {
namespace {

constexpr float kMaxLevel = 1e6f;  // a million times full scale: no layer overflows

}  // namespace

SileroVAD::SileroVAD(std::shared_ptr<const SileroWeights> weights) : weights_(std::move(weights)) {}

float SileroVAD::probability(std::span<const float, kVADWindow> window) {
  set_window(window);
  SileroStream* const stream = &stream_;
  run_network(*weights_, std::span(&stream, 1));
  return stream_.probability;
}

void SileroVAD::reset() {
  stream_ = {};
}

void SileroVAD::set_window(std::span<const float, kVADWindow> window) {
  std::ranges::transform(window, stream_.window().begin(), [](float sample) {
    return std::isfinite(sample) ? std::clamp(sample, -kMaxLevel, kMaxLevel) : 0.0f;
  });
}

}  // namespace dictum::vad
