#include "vad/energy_vad.hpp"

#include <algorithm>
#include <cmath>

namespace dictum::vad {
namespace {

constexpr float kRelease = 0.6f;          // of the level that stays a window later: syllables hang together
constexpr float kMargin = 10.0f;          // dB above the background where speech is as likely as not
constexpr float kSteepness = 0.5f;        // of the logistic curve, a dB
constexpr float kAlwaysSilence = -60.0f;  // dBFS; quieter windows are no speech, however quiet the background
constexpr float kMutedLevel = -70.0f;     // dBFS; a muted or unopened input, which says nothing about the background

float level_of(std::span<const float, kVADWindow> window, float quietest) {
  double energy = 0;
  for (const float sample : window) {
    if (std::isfinite(sample)) energy += static_cast<double>(sample) * static_cast<double>(sample);
  }
  const double power = energy / static_cast<double>(window.size());
  return power > 0 ? std::max(quietest, static_cast<float>(10 * std::log10(power))) : quietest;
}

}  // namespace

float EnergyVAD::probability(std::span<const float, kVADWindow> window) {
  const float level = level_of(window, kQuietest);
  level_db_ = std::max(level, kRelease * level_db_ + (1 - kRelease) * level);
  if (level > kMutedLevel) {
    recent_db_[next_] = level;
    next_ = (next_ + 1) % recent_db_.size();
  }
  const float background = *std::ranges::min_element(recent_db_);
  const float above = level_db_ - std::max(background + kMargin, kAlwaysSilence);
  return 1.0f / (1.0f + std::exp(-kSteepness * above));
}

}  // namespace dictum::vad
