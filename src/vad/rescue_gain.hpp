#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "dictum/vad.hpp"

namespace dictum::vad {

/// Amplifies speech that is too quiet for a detector, up to 40 dB; what is loud enough passes unchanged, bit by bit.
///
/// The level of speech is that of blocks of 10 ms that stand at least 10 dB above the noise, which is the quietest
/// block of the last 3 s. It is raised to -60 dBFS, by 12 dB a second at most, where every block of the last 10 s, and
/// of the first 3 s, is below that; a gain that is no longer needed goes down by 40 dB a second. A function of the
/// samples alone: what was amplified by how much does not depend on when they came.
///
/// Threads: one at a time, any. Owner: one stream. Nothing fails and nothing is allocated.
class RescueGain {
 public:
  static constexpr std::size_t kBlock = kVADSampleRate / 100;

  RescueGain() { reset(); }

  /// The next samples of the stream, amplified.
  void process(std::span<const float> in, std::span<float> out);

  void reset();

  double gain_db() const { return gain_db_; }

 private:
  void finish_block();

  static constexpr std::size_t kNoiseBlocks = 300;

  std::array<double, kNoiseBlocks> levels_;  // of the newest blocks, in dBFS, as a ring
  std::size_t next_level_;
  double noise_;              // the least of them
  std::size_t quiet_blocks_;  // since the newest loud one, or since the stream began
  double block_energy_;
  std::size_t block_samples_;
  std::size_t required_blocks_;        // quiet ones before anything is amplified
  std::optional<double> speech_dbfs_;  // smoothed
  double gain_db_;
  float gain_;
};

/// A detector of very quiet speech, too: it stands behind a rescue gain.
class RescuedVAD final : public VoiceActivityDetector {
 public:
  explicit RescuedVAD(std::unique_ptr<VoiceActivityDetector> detector) : detector_(std::move(detector)) {}

  float probability(std::span<const float, kVADWindow> window) override;
  void reset() override;
  void begin_at(Frame frame) override { detector_->begin_at(frame); }
  std::string_view name() const override { return detector_->name(); }

 private:
  RescueGain gain_;
  const std::unique_ptr<VoiceActivityDetector> detector_;
};

}  // namespace dictum::vad
