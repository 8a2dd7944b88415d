#pragma once

#include <hwy/aligned_allocator.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace dictum::vad {

class OnnxWeights;

/// One linear step of the network, `out = bias + weights * in`, repacked so that the outputs of a panel lie side by
/// side and the inputs follow each other in memory: the inner loop reads straight on, in whole vectors.
///
/// Threads: immutable once filled. Owner: SileroWeights.
class LinearLayer {
 public:
  static constexpr std::size_t kPanel = 16;  ///< outputs in a panel: the widest vector that is worth having

  /// All zero. The outputs are rounded up to whole panels.
  LinearLayer(std::size_t inputs, std::size_t outputs);

  float& weight(std::size_t input, std::size_t output) {
    return weights_[(output / kPanel * inputs_ + input) * kPanel + output % kPanel];
  }
  float& bias(std::size_t output) { return biases_[output]; }

  std::size_t inputs() const { return inputs_; }
  std::size_t panels() const { return panels_; }
  const float* panel(std::size_t index) const { return weights_.get() + index * inputs_ * kPanel; }
  const float* panel_biases(std::size_t index) const { return biases_.get() + index * kPanel; }

 private:
  std::size_t inputs_;
  std::size_t panels_;
  hwy::AlignedFreeUniquePtr<float[]> weights_;
  hwy::AlignedFreeUniquePtr<float[]> biases_;
};

/// The trained weights of Silero VAD v6 for 16 kHz, packed for inference. About 1.2 MB, shared by every detector.
///
/// Threads: immutable, safe from any. Owner: shared by the detectors. `load` takes about a millisecond and throws
/// RecorderError(model_missing) where the bytes are not that model.
class SileroWeights {
 public:
  static std::shared_ptr<const SileroWeights> load(std::span<const std::byte> onnx_model);

  // Sizes of the network.
  static constexpr std::size_t kSTFTSize = 256;
  static constexpr std::size_t kHop = 128;
  static constexpr std::size_t kBins = kSTFTSize / 2 + 1;
  static constexpr std::size_t kWide = 128;  ///< channels of the first and last convolution
  static constexpr std::size_t kNarrow = 64;
  static constexpr std::size_t kHidden = 128;

  LinearLayer stft;                    ///< windowed samples to real parts, then imaginary parts
  std::array<LinearLayer, 4> encoder;  ///< each takes its taps' rows one behind the other, earliest first
  LinearLayer lstm;                    ///< input and hidden state, one behind the other, to the gates i, f, g, o
  std::array<float, kHidden> output;
  float output_bias;

 private:
  explicit SileroWeights(const OnnxWeights& model);
};

}  // namespace dictum::vad
