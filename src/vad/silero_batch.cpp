#include "vad/silero_batch.hpp"

#include <utility>

#include "dictum/error.hpp"
#include "vad/silero_network.hpp"

namespace dictum::vad {

SileroBatch::SileroBatch(std::shared_ptr<const SileroWeights> weights) : weights_(std::move(weights)) {}

void SileroBatch::add(SileroVAD& stream, std::span<const float, kVADWindow> window) {
  if (stream.weights_ != weights_) {
    throw RecorderError(Errc::invalid_argument,
                        "The stream cannot be added to the batch: it was made with other weights. Make both with the "
                        "same weights.");
  }
  streams_.push_back(&stream.stream_);
  stream.set_window(window);
}

std::span<const float> SileroBatch::run() {
  run_network(*weights_, streams_);
  probabilities_.clear();
  for (const SileroStream* stream : streams_) probabilities_.push_back(stream->probability);
  streams_.clear();
  return probabilities_;
}

}  // namespace dictum::vad
