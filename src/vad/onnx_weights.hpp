#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace dictum::vad {

/// The float initialisers (trained weights) of an ONNX model; its graph is not read. Reads as little of the protobuf
/// encoding as that takes.
///
/// Threads: immutable. Owner: whoever loads weights; it refers to the bytes that it was made from, which must outlive
/// it. Fails with RecorderError(model_missing) where the bytes are damaged or lack what is asked for. Memory is
/// bounded, whatever the bytes say about themselves.
class OnnxWeights {
 public:
  explicit OnnxWeights(std::span<const std::byte> model);

  struct Tensor {
    std::string_view name;
    std::vector<std::int64_t> dims;
    std::span<const std::byte> raw;  ///< little-endian floats, exactly as many as `dims` says; not aligned
  };
  const std::vector<Tensor>& tensors() const { return tensors_; }

  /// The values of the tensor `name`, first dimension slowest. Throws unless the model has it with exactly these
  /// dimensions and every value is finite.
  std::vector<float> values(std::string_view name, std::initializer_list<std::int64_t> dims) const;

 private:
  std::vector<Tensor> tensors_;
};

}  // namespace dictum::vad
