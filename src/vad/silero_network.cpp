#include "vad/silero_network.hpp"

#include <algorithm>
#include <cmath>

// The code between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE is compiled once for each kind of vector unit; run()
// takes the best that the processor has. Vectors whose size is unknown to the compiler cannot be kept in arrays.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vad/silero_network.cpp"
#include <hwy/foreach_target.h>  // before highway.h
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dictum::vad::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::CappedTag<float, LinearLayer::kPanel> kTag;
using Vector = hn::Vec<decltype(kTag)>;
constexpr std::size_t kLanes = hn::MaxLanes(kTag);
constexpr std::size_t kVectors = LinearLayer::kPanel / kLanes;  // in a panel

enum class After { nothing, relu };

/// Rows of a matrix in memory, one for each point in time.
template <class Value>
struct Rows {
  Value* first;
  std::size_t stride;
  Value* operator[](std::size_t row) const { return first + row * stride; }
};

/// `panels` neighbouring panels of the layer, for `frames` rows of input at once: each weight is read once.
template <std::size_t panels, std::size_t frames, After after>
HWY_INLINE void apply_panels(const LinearLayer& layer, std::size_t first_panel, Rows<const float> in, Rows<float> out) {
  Vector sums[panels][kVectors][frames];
  const float* weights[panels];
  for (std::size_t p = 0; p < panels; ++p) {
    weights[p] = layer.panel(first_panel + p);
    for (std::size_t v = 0; v < kVectors; ++v) {
      const auto bias = hn::Load(kTag, layer.panel_biases(first_panel + p) + v * kLanes);
      for (std::size_t f = 0; f < frames; ++f) sums[p][v][f] = bias;
    }
  }
  for (std::size_t i = 0; i < layer.inputs(); ++i) {
    Vector inputs[frames];
    for (std::size_t f = 0; f < frames; ++f) inputs[f] = hn::Set(kTag, in[f][i]);
    for (std::size_t p = 0; p < panels; ++p) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        const auto weight = hn::Load(kTag, weights[p] + i * LinearLayer::kPanel + v * kLanes);
        for (std::size_t f = 0; f < frames; ++f) sums[p][v][f] = hn::MulAdd(weight, inputs[f], sums[p][v][f]);
      }
    }
  }
  for (std::size_t p = 0; p < panels; ++p) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      for (std::size_t f = 0; f < frames; ++f) {
        auto sum = sums[p][v][f];
        if constexpr (after == After::relu) sum = hn::Max(sum, hn::Zero(kTag));
        hn::Store(sum, kTag, out[f] + (first_panel + p) * LinearLayer::kPanel + v * kLanes);
      }
    }
  }
}

template <std::size_t frames, After after>
HWY_INLINE void apply(const LinearLayer& layer, Rows<const float> in, Rows<float> out) {
  // Eight sums that do not wait for each other keep a processor with two multiply-add units busy.
  constexpr std::size_t at_once = std::max<std::size_t>(1, 8 / (kVectors * frames));
  std::size_t panel = 0;
  for (; panel + at_once <= layer.panels(); panel += at_once) {
    apply_panels<at_once, frames, after>(layer, panel, in, out);
  }
  for (; panel < layer.panels(); ++panel) apply_panels<1, frames, after>(layer, panel, in, out);
}

HWY_INLINE Vector sigmoid(Vector x) {
  const auto one = hn::Set(kTag, 1.0f);
  const auto limit = hn::Set(kTag, 80.0f);  // keeps the exponential finite; the result is 0 or 1 long before
  const auto bounded = hn::Min(hn::Max(x, hn::Neg(limit)), limit);
  return hn::Div(one, hn::Add(one, hn::Exp(kTag, hn::Neg(bounded))));
}

HWY_INLINE void magnitudes(const float* spectrum, float* out) {
  constexpr std::size_t bins = SileroWeights::kBins;
  const float* imaginary = spectrum + bins;
  for (std::size_t bin = 0; bin + kLanes <= bins; bin += kLanes) {
    const auto re = hn::LoadU(kTag, spectrum + bin);
    const auto im = hn::LoadU(kTag, imaginary + bin);
    hn::StoreU(hn::Sqrt(hn::MulAdd(re, re, hn::Mul(im, im))), kTag, out + bin);
  }
  constexpr std::size_t last = bins - 1;  // the one bin that no vector takes: 129 = 8 * 16 + 1
  static_assert(last % kLanes == 0);
  out[last] = std::sqrt(spectrum[last] * spectrum[last] + imaginary[last] * imaginary[last]);
}

HWY_INLINE void lstm_step(const float* gates, float* cell, float* hidden) {
  constexpr std::size_t size = SileroWeights::kHidden;
  for (std::size_t i = 0; i < size; i += kLanes) {
    const auto input_gate = sigmoid(hn::Load(kTag, gates + i));
    const auto forget_gate = sigmoid(hn::Load(kTag, gates + size + i));
    const auto candidate = hn::Tanh(kTag, hn::Load(kTag, gates + 2 * size + i));
    const auto output_gate = sigmoid(hn::Load(kTag, gates + 3 * size + i));
    const auto next = hn::MulAdd(forget_gate, hn::Load(kTag, cell + i), hn::Mul(input_gate, candidate));
    hn::Store(next, kTag, cell + i);
    hn::Store(hn::Mul(output_gate, hn::Tanh(kTag, next)), kTag, hidden + i);
  }
}

HWY_INLINE float output(const SileroWeights& weights, const float* hidden) {
  auto sum = hn::Zero(kTag);
  for (std::size_t i = 0; i < SileroWeights::kHidden; i += kLanes) {
    const auto rectified = hn::Max(hn::Load(kTag, hidden + i), hn::Zero(kTag));
    sum = hn::MulAdd(rectified, hn::LoadU(kTag, weights.output.data() + i), sum);
  }
  const float logit = hn::GetLane(hn::SumOfLanes(kTag, sum)) + weights.output_bias;
  return 1.0f / (1.0f + std::exp(-logit));
}

float run_network(const SileroWeights& weights, SileroNetwork& network) {
  using Weights = SileroWeights;
  constexpr std::size_t frames = SileroNetwork::kFrames;

  auto& signal = network.signal;  // its end mirrors what is before it, without repeating the last sample
  std::reverse_copy(signal.begin() + SileroNetwork::kHeard - 1 - SileroNetwork::kPadding,
                    signal.begin() + SileroNetwork::kHeard - 1, signal.begin() + SileroNetwork::kHeard);

  float* spectrum = network.spectrum.data();
  apply<frames, After::nothing>(weights.stft, {signal.data(), Weights::kHop},
                                {spectrum, SileroNetwork::kSpectrumStride});
  for (std::size_t f = 0; f < frames; ++f) {
    magnitudes(spectrum + f * SileroNetwork::kSpectrumStride, network.magnitudes.data() + (f + 1) * Weights::kBins);
  }

  // The taps of a convolution are consecutive rows, so its input is one run of memory, and a stride of two steps on by
  // two rows.
  float* first = network.first.data();
  apply<frames, After::relu>(weights.encoder[0], {network.magnitudes.data(), Weights::kBins},
                             {first + Weights::kWide, Weights::kWide});
  apply<2, After::relu>(weights.encoder[1], {first, 2 * Weights::kWide}, {network.second.data(), Weights::kNarrow});
  apply<1, After::relu>(weights.encoder[2], {network.second.data(), 0}, {network.third.data(), 0});
  apply<1, After::relu>(weights.encoder[3], {network.third.data(), 0}, {network.lstm_input.data(), 0});

  apply<1, After::nothing>(weights.lstm, {network.lstm_input.data(), 0}, {network.gates.data(), 0});
  float* hidden = network.lstm_input.data() + Weights::kHidden;
  lstm_step(network.gates.data(), network.cell.data(), hidden);

  std::copy_n(signal.begin() + kVADWindow, SileroNetwork::kContext, signal.begin());
  return output(weights, hidden);
}

}  // namespace
}  // namespace dictum::vad::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace dictum::vad {

HWY_EXPORT(run_network);

float SileroNetwork::run(const SileroWeights& weights) {
  return HWY_DYNAMIC_DISPATCH(run_network)(weights, *this);
}

}  // namespace dictum::vad

#endif
