#include "offline/recalling_detector.hpp"

#include <algorithm>

namespace dictum::offline {

RecallingDetector::RecallingDetector(std::vector<session::ProbabilityStretch> known,
                                     std::unique_ptr<VoiceActivityDetector> detector)
    : known_(std::move(known)), detector_(std::move(detector)) {}

void RecallingDetector::begin_at(Frame frame) {
  const auto found = std::ranges::lower_bound(known_, frame, {}, &session::ProbabilityStretch::start_frame);
  next_ = found != known_.end() && found->start_frame == frame ? std::span(found->values) : std::span<const float>();
}

float RecallingDetector::probability(std::span<const float, kVADWindow> window) {
  if (next_.empty()) return detector_->probability(window);
  const float known = next_.front();
  next_ = next_.subspan(1);
  return known;
}

}  // namespace dictum::offline
