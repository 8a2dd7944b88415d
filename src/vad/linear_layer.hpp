#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace dictum::vad {

/// One linear step of the network, `out = bias + weights * in`, packed for the kernels: the outputs of a panel lie side
/// by side and the inputs follow each other in memory, so that the inner loop reads straight on, in whole vectors.
///
/// Threads: immutable once filled. Owner: SileroWeights.
class LinearLayer {
 public:
  /// Outputs in a panel: two to eight vectors, enough independent sums to hide the latency of a multiply-add.
  static constexpr std::size_t kPanel = 64;

  /// All zero. `outputs` must be a multiple of kPanel.
  LinearLayer(std::size_t inputs, std::size_t outputs);

  float& weight(std::size_t input, std::size_t output) {
    return weights_[(output / kPanel * inputs_ + input) * kPanel + output % kPanel];
  }
  float& bias(std::size_t output) { return biases_[output]; }

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }
  const float* panel(std::size_t first_output) const { return weights_.get() + first_output * inputs_; }
  const float* biases(std::size_t first_output) const { return biases_.get() + first_output; }

 private:
  struct Free {
    void operator()(float* values) const noexcept { std::free(values); }
  };
  using Values = std::unique_ptr<float[], Free>;  // aligned for the widest vector

  static Values zeros(std::size_t count);

  std::size_t inputs_;
  std::size_t outputs_;
  Values weights_;
  Values biases_;
};

}  // namespace dictum::vad
