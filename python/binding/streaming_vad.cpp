#include "streaming_vad.hpp"

#include "dictum/error.hpp"
#include "samples.hpp"
#include "vad/detector.hpp"

namespace dictum::python {

StreamingVAD::StreamingVAD(int sample_rate)
    : sample_rate_(checked_rate(sample_rate)), resampler_(sample_rate_, kVADSampleRate) {
  auto made = vad::make_detector("silero", vad::embedded_weights());
  if (made.fell_back_to_energy) {
    throw RecorderError(Errc::model_missing, "This build has no Silero model: run ./setup and build again.");
  }
  detector_ = std::move(made.detector);
}

std::vector<float> StreamingVAD::process(std::span<const float> samples) {
  const std::lock_guard lock(mutex_);
  resampler_.process(samples, waiting_);
  std::vector<float> probabilities;
  probabilities.reserve(waiting_.size() / kVADWindow);
  std::span<const float> left = waiting_;
  for (; left.size() >= kVADWindow; left = left.subspan(kVADWindow)) {
    probabilities.push_back(detector_->probability(left.first<kVADWindow>()));
  }
  waiting_.erase(waiting_.begin(), waiting_.end() - static_cast<std::ptrdiff_t>(left.size()));
  return probabilities;
}

void StreamingVAD::reset() {
  const std::lock_guard lock(mutex_);
  resampler_.reset();
  detector_->reset();
  waiting_.clear();
}

}  // namespace dictum::python
