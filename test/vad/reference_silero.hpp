#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "dictum/vad.hpp"

namespace dictum::vad::test {

/// Silero VAD v6 as the model's graph states it, in double precision and without any of the kernels' shortcuts: what
/// the kernels are compared with. About a hundred times slower.
class ReferenceSilero {
 public:
  explicit ReferenceSilero(std::span<const std::byte> onnx_model);

  double probability(std::span<const float, kVADWindow> window);

 private:
  using Rows = std::vector<std::vector<double>>;  ///< time by channel

  Rows magnitudes(const std::vector<double>& signal) const;
  Rows convolution(const Rows& in, int number, std::size_t stride) const;

  std::map<std::string, std::vector<float>> weights_;
  std::vector<double> context_;
  std::vector<double> cell_;
  std::vector<double> hidden_;
};

}  // namespace dictum::vad::test
