// Any bytes as a model: refused, or read within bounds and without more memory than the bytes themselves take.
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "dictum/error.hpp"
#include "vad/onnx_weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const dictum::vad::OnnxWeights weights(std::as_bytes(std::span(data, size)));
    std::size_t bytes = 0;
    for (const auto& tensor : weights.tensors()) {
      bytes += tensor.raw.size();
      if (tensor.dims.size() == 1) weights.values(tensor.name, {tensor.dims[0]});
      if (tensor.dims.size() == 2) weights.values(tensor.name, {tensor.dims[0], tensor.dims[1]});
    }
    if (bytes > size) throw std::logic_error("tensors overlap");
  } catch (const dictum::RecorderError&) {
  }
  return 0;
}
