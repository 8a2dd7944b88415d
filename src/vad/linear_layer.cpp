#include "vad/linear_layer.hpp"

#include <algorithm>
#include <new>

namespace dictum::vad {
namespace {

hwy::AlignedFreeUniquePtr<float[]> zeros(std::size_t count) {
  auto values = hwy::AllocateAligned<float>(count);
  if (!values) throw std::bad_alloc();
  std::fill_n(values.get(), count, 0.0f);
  return values;
}

}  // namespace

LinearLayer::LinearLayer(std::size_t inputs, std::size_t outputs)
    : inputs_(inputs), outputs_(outputs), weights_(zeros(inputs * outputs)), biases_(zeros(outputs)) {}

}  // namespace dictum::vad
