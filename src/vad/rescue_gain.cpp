#include "vad/rescue_gain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dictum::vad {
namespace {

constexpr double kBlocksPerSecond = 100;
constexpr double kTargetDBFS = -60;
constexpr double kMaxGainDB = 40;
constexpr double kAboveNoiseDB = 10;
constexpr double kTimeConstantSec = 1.5;
constexpr double kRise = 12 / kBlocksPerSecond;  // dB a block
constexpr double kFall = 40 / kBlocksPerSecond;
constexpr std::size_t kQuietAtStart = 300;     // blocks: a recording of usual level is louder within its first 3 s ...
constexpr std::size_t kQuietAfterLoud = 1000;  // ... and a speaker of usual level pauses for less than 10 s
constexpr double kDigitalSilence = 1e-14;      // mean square: a muted microphone or a gap, neither noise nor speech

double to_dbfs(double power) {
  return 10 * std::log10(power);
}

}  // namespace

void RescueGain::reset() {
  levels_.fill(std::numeric_limits<double>::infinity());
  next_level_ = 0;
  noise_ = std::numeric_limits<double>::infinity();
  block_energy_ = 0;
  block_samples_ = 0;
  quiet_blocks_ = 0;
  required_blocks_ = kQuietAtStart;
  speech_dbfs_.reset();
  gain_db_ = 0;
  gain_ = 1;
}

void RescueGain::process(std::span<const float> in, std::span<float> out) {
  for (std::size_t at = 0; at < in.size();) {
    const std::size_t count = std::min(in.size() - at, kBlock - block_samples_);
    const auto samples = in.subspan(at, count);
    double energy = block_energy_;
    for (const float sample : samples) energy += static_cast<double>(sample) * static_cast<double>(sample);
    std::ranges::transform(samples, out.subspan(at, count).begin(), [this](float sample) { return sample * gain_; });
    block_energy_ = energy;
    block_samples_ += count;
    at += count;
    if (block_samples_ == kBlock) finish_block();
  }
}

/// Decides the gain of the next block.
void RescueGain::finish_block() {
  const double power = block_energy_ / static_cast<double>(kBlock);
  block_energy_ = 0;
  block_samples_ = 0;
  if (!std::isfinite(power) || power <= kDigitalSilence) return;
  const double level = to_dbfs(power);
  const double oldest = std::exchange(levels_[next_level_], level);
  next_level_ = (next_level_ + 1) % kNoiseBlocks;
  noise_ = oldest > noise_ ? std::min(noise_, level) : std::ranges::min(levels_);
  ++quiet_blocks_;
  if (level >= kTargetDBFS) {
    quiet_blocks_ = 0;
    required_blocks_ = kQuietAfterLoud;
  }
  if (level >= noise_ + kAboveNoiseDB) {
    static const double weight = 1 - std::exp(-1 / (kTimeConstantSec * kBlocksPerSecond));
    speech_dbfs_ = speech_dbfs_ ? *speech_dbfs_ + weight * (level - *speech_dbfs_) : level;
  }
  const bool is_quiet = speech_dbfs_ && quiet_blocks_ >= required_blocks_;
  const double wanted = is_quiet ? std::clamp(kTargetDBFS - *speech_dbfs_, 0.0, kMaxGainDB) : 0;
  gain_db_ = std::clamp(wanted, gain_db_ - kFall, gain_db_ + kRise);
  gain_ = gain_db_ > 0 ? static_cast<float>(std::pow(10, gain_db_ / 20)) : 1;
}

float RescuedVAD::probability(std::span<const float, kVADWindow> window) {
  std::array<float, kVADWindow> amplified;
  gain_.process(window, amplified);
  return detector_->probability(amplified);
}

void RescuedVAD::reset() {
  gain_.reset();
  detector_->reset();
}

}  // namespace dictum::vad
