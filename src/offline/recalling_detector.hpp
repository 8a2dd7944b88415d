#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "dictum/vad.hpp"
#include "session/probabilities.hpp"

namespace dictum::offline {

/// A detector that says again what another one said of the same windows when they were recorded, and computes by itself
/// what is not known.
///
/// Threads and owner as VoiceActivityDetector says; the pipeline says where on the clock it begins afresh.
class RecallingDetector final : public VoiceActivityDetector {
 public:
  /// `known`: in order.
  RecallingDetector(std::vector<session::ProbabilityStretch> known, std::unique_ptr<VoiceActivityDetector> detector);

  /// The next window is the first of a stream that begins at this frame.
  void begin_at(Frame frame) override;

  float probability(std::span<const float, kVADWindow> window) override;
  void reset() override { detector_->reset(); }
  std::string_view name() const override { return detector_->name(); }

 private:
  const std::vector<session::ProbabilityStretch> known_;
  const std::unique_ptr<VoiceActivityDetector> detector_;
  std::span<const float> next_;  // of the stretch that was begun
};

}  // namespace dictum::offline
