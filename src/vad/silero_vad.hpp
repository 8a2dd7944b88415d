#pragma once

#include <memory>

#include "dictum/vad.hpp"
#include "vad/silero_stream.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {

/// Silero VAD v6 for 16 kHz, run window by window: each window is evaluated behind the last 64 samples of the one
/// before, with one long-lived recurrent state.
///
/// Threads: one at a time, any. Owner: one stream. Nothing fails and nothing is allocated after construction. Samples
/// that are not finite count as silence, and the level is limited to a million times full scale: whatever a stream
/// brings, the state stays finite and recovers.
class SileroVAD final : public VoiceActivityDetector {
 public:
  explicit SileroVAD(std::shared_ptr<const SileroWeights> weights);

  float probability(std::span<const float, kVADWindow> window) override;
  void reset() override;
  std::string_view name() const override { return "silero"; }

 private:
  friend class SileroBatch;
  void set_window(std::span<const float, kVADWindow> window);

  std::shared_ptr<const SileroWeights> weights_;
  SileroStream stream_;
};

}  // namespace dictum::vad
