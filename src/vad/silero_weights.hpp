#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "vad/linear_layer.hpp"
#include "vad/stft.hpp"

namespace dictum::vad {

class OnnxWeights;

/// The trained weights of Silero VAD v6 for 16 kHz, packed for inference. About 0.9 MB, shared by every detector.
///
/// Threads: immutable, safe from any. Owner: shared by the detectors. `load` takes about a millisecond and throws
/// RecorderError(model_missing) where the bytes are not that model.
class SileroWeights {
 public:
  static std::shared_ptr<const SileroWeights> load(std::span<const std::byte> onnx_model);

  // Sizes of the network.
  static constexpr std::size_t kWide = 128;  ///< channels of the first and last convolution
  static constexpr std::size_t kNarrow = 64;
  static constexpr std::size_t kHidden = 128;

  STFT stft;
  std::array<LinearLayer, 4> encoder;  ///< each takes the rows under its taps one behind the other, earliest first
  LinearLayer lstm;                    ///< input and hidden state, one behind the other, to the gates i, f, g, o
  std::array<float, kHidden> output;
  float output_bias;

 private:
  explicit SileroWeights(const OnnxWeights& model);
};

}  // namespace dictum::vad
