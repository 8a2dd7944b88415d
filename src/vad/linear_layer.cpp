#include "vad/linear_layer.hpp"

#include <algorithm>
#include <new>

namespace dictum::vad {
LinearLayer::Values LinearLayer::zeros(std::size_t count) {
  constexpr std::size_t kAlignment = 128;  // two lines of the cache, which are fetched together
  const std::size_t bytes = (count * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  Values values(static_cast<float*>(std::aligned_alloc(kAlignment, bytes)));
  if (!values) throw std::bad_alloc();
  std::fill_n(values.get(), count, 0.0f);
  return values;
}

LinearLayer::LinearLayer(std::size_t inputs, std::size_t outputs)
    : inputs_(inputs), outputs_(outputs), weights_(zeros(inputs * outputs)), biases_(zeros(outputs)) {}

}  // namespace dictum::vad
