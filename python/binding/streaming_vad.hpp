#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "audio/resampler.hpp"
#include "dictum/vad.hpp"

namespace dictum::python {

/// Silero VAD over a stream of any rate, in blocks of any size: state, resampler and what is left of a window are
/// carried from block to block. Thread-safe, though blocks of one stream have an order. Owner: Python.
class StreamingVAD {
 public:
  /// Throws RecorderError: model_missing where the build has no model, invalid_argument for a rate.
  explicit StreamingVAD(int sample_rate);

  /// The probability of every window that the samples (mono) complete.
  std::vector<float> process(std::span<const float> samples);
  void reset();
  int sample_rate() const noexcept { return sample_rate_; }

 private:
  const int sample_rate_;
  std::mutex mutex_;
  audio::Resampler resampler_;
  std::unique_ptr<VoiceActivityDetector> detector_;
  std::vector<float> waiting_;  // at 16 kHz, less than a window between calls
};

}  // namespace dictum::python
