#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "dictum/vad.hpp"
#include "vad/silero_stream.hpp"
#include "vad/silero_vad.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {

/// Advances independent streams by one window each in one call, so that the weights are read once for several streams.
/// A stream may be in one batch after another or run alone in between; its probabilities are the same within 1e-4.
///
///     SileroBatch batch(weights);
///     batch.add(first, first_window);
///     batch.add(second, second_window);
///     std::span<const float> probabilities = batch.run();
///
/// Threads: one at a time; several batches may share weights and run at once. Owner: whoever has many streams.
/// Allocates only where a batch is larger than every one before.
class SileroBatch {
 public:
  explicit SileroBatch(std::shared_ptr<const SileroWeights> weights);

  /// Copies the next window of this stream, which must live until run() and be in the batch at most once. Throws
  /// RecorderError(invalid_argument) if the stream was made with other weights.
  void add(SileroVAD& stream, std::span<const float, kVADWindow> window);

  /// The probabilities in the order of the calls of add(), valid until the next call of run(). The batch is empty then.
  std::span<const float> run();

  std::size_t size() const { return streams_.size(); }

 private:
  std::shared_ptr<const SileroWeights> weights_;
  std::vector<SileroStream*> streams_;
  std::vector<float> probabilities_;
};

}  // namespace dictum::vad
