#include "vad/silero_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "vad/simd_target.hpp"

// The code between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE is compiled once for each kind of vector unit;
// run_network takes the best that the processor has. Vectors whose size is unknown to the compiler cannot be kept in
// arrays.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vad/silero_network.cpp"
#include <hwy/foreach_target.h>  // before highway.h
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

// Four steps of a loop in one: a tenth fewer instructions.
#undef DICTUM_UNROLL
#if HWY_COMPILER_CLANG
#define DICTUM_UNROLL _Pragma("clang loop unroll_count(4)")
#else
#define DICTUM_UNROLL _Pragma("GCC unroll 4")
#endif

HWY_BEFORE_NAMESPACE();
namespace dictum::vad::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr hn::CappedTag<float, 16> kTag;
using Vector = hn::Vec<decltype(kTag)>;
constexpr std::size_t kLanes = hn::MaxLanes(kTag);
constexpr std::size_t kPanelVectors = LinearLayer::kPanel / kLanes;

/// Sums that are kept in registers: enough to hide the latency of a multiply-add. With twelve there would be a register
/// for everything on AVX2, but compilers spill one of them in the inner loop. AVX-512 has twice as many registers.
constexpr std::size_t kMaxSums = kLanes == 16 ? 16 : 8;
constexpr std::size_t kMaxStreams = 4;  // that are run together, as rows of the layers that they share

constexpr std::size_t divide_rounding_up(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

/// Vectors of a panel that are computed together for so many rows of input.
constexpr std::size_t tile_vectors(std::size_t rows) {
  const std::size_t most = std::min<std::size_t>(8, kMaxSums / rows);
  return divide_rounding_up(kPanelVectors, divide_rounding_up(kPanelVectors, most));
}

enum class After { nothing, relu };

/// Rows of a matrix in memory.
template <class Value>
struct Rows {
  Value* data;
  std::size_t stride;
};

/// How many inputs, at the start of the first row and at the end of the last one, are padding. They are not read.
struct Padding {
  std::size_t first_row = 0;
  std::size_t last_row = 0;
};

/// Adds the products of the inputs [begin, end) of the rows [first, last).
template <std::size_t first, std::size_t last, std::size_t rows, std::size_t vectors>
HWY_INLINE void accumulate(const float* weights, Rows<const float> in, std::size_t begin, std::size_t end,
                           Vector (&sums)[rows][vectors]) {
  DICTUM_UNROLL
  for (std::size_t i = begin; i < end; ++i) {
    Vector column[vectors];
    for (std::size_t v = 0; v < vectors; ++v)
      column[v] = hn::Load(kTag, weights + i * LinearLayer::kPanel + v * kLanes);
    for (std::size_t r = first; r < last; ++r) {
      const auto input = hn::Set(kTag, in.data[r * in.stride + i]);
      for (std::size_t v = 0; v < vectors; ++v) sums[r][v] = hn::MulAdd(column[v], input, sums[r][v]);
    }
  }
}

/// The part of a panel from vector `begin` on, for all rows of input.
template <std::size_t rows, After after, std::size_t begin = 0>
HWY_INLINE void apply_panel(const LinearLayer& layer, std::size_t panel, Padding padding, Rows<const float> in,
                            Rows<float> out) {
  constexpr std::size_t vectors = std::min(tile_vectors(rows), kPanelVectors - begin);
  const float* weights = layer.panel(panel) + begin * kLanes;
  const float* biases = layer.biases(panel) + begin * kLanes;
  Vector sums[rows][vectors];
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t v = 0; v < vectors; ++v) sums[r][v] = hn::Load(kTag, biases + v * kLanes);
  }
  const std::size_t full_end = layer.inputs() - padding.last_row;
  accumulate<1, rows>(weights, in, 0, padding.first_row, sums);
  accumulate<0, rows>(weights, in, padding.first_row, full_end, sums);
  accumulate<0, rows - 1>(weights, in, full_end, layer.inputs(), sums);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t v = 0; v < vectors; ++v) {
      auto sum = sums[r][v];
      if constexpr (after == After::relu) sum = hn::Max(sum, hn::Zero(kTag));
      hn::Store(sum, kTag, out.data + r * out.stride + panel + (begin + v) * kLanes);
    }
  }
  if constexpr (begin + vectors < kPanelVectors)
    apply_panel<rows, after, begin + vectors>(layer, panel, padding, in, out);
}

template <std::size_t rows, After after>
HWY_INLINE void apply(const LinearLayer& layer, Rows<const float> in, Rows<float> out, Padding padding = {}) {
  for (std::size_t panel = 0; panel < layer.outputs(); panel += LinearLayer::kPanel) {
    apply_panel<rows, after>(layer, panel, padding, in, out);
  }
}

HWY_INLINE Vector sigmoid(Vector x) {
  const auto one = hn::Set(kTag, 1.0f);
  const auto limit = hn::Set(kTag, 80.0f);  // keeps the exponential finite; the result is 0 or 1 long before
  const auto bounded = hn::Min(hn::Max(x, hn::Neg(limit)), limit);
  return hn::Div(one, hn::Add(one, hn::Exp(kTag, hn::Neg(bounded))));
}

HWY_INLINE Vector tanh(Vector x) {
  const auto two = hn::Set(kTag, 2.0f);
  return hn::MulSub(two, sigmoid(hn::Mul(two, x)), hn::Set(kTag, 1.0f));
}

/// The layers that see the frames of one stream; leaves two rows of kNarrow features.
HWY_NOINLINE void encode(const SileroWeights& weights, SileroStream& stream, float* features) {
  constexpr std::size_t wide = SileroWeights::kWide;
  alignas(64) float magnitudes[(1 + STFT::kFrames) * STFT::kBins];  // the row in front is padding
  alignas(64) float first[(1 + STFT::kFrames) * wide];              // here too

  auto& signal = stream.signal;  // its end mirrors what is before it, without repeating the last sample
  constexpr std::size_t end = SileroStream::kContext + kVADWindow;
  std::reverse_copy(signal.begin() + end - 1 - SileroStream::kPadding, signal.begin() + end - 1, signal.begin() + end);
  weights.stft.magnitudes(signal, std::span(magnitudes).subspan<STFT::kBins>());
  std::copy_n(signal.begin() + kVADWindow, SileroStream::kContext, signal.begin());

  // The taps of a convolution are consecutive rows, so its input is one run of memory, and a stride of two steps on by
  // two rows.
  apply<STFT::kFrames, After::relu>(weights.encoder[0], {magnitudes, STFT::kBins}, {first + wide, wide},
                                    {.first_row = STFT::kBins, .last_row = STFT::kBins});
  apply<2, After::relu>(weights.encoder[1], {first, 2 * wide}, {features, SileroWeights::kNarrow}, {.first_row = wide});
}

HWY_INLINE void update_state(const float* gates, SileroStream& stream) {
  constexpr std::size_t size = SileroWeights::kHidden;
  float* cell = stream.cell.data();
  for (std::size_t i = 0; i < size; i += kLanes) {
    const auto input_gate = sigmoid(hn::Load(kTag, gates + i));
    const auto forget_gate = sigmoid(hn::Load(kTag, gates + size + i));
    const auto candidate = tanh(hn::Load(kTag, gates + 2 * size + i));
    const auto output_gate = sigmoid(hn::Load(kTag, gates + 3 * size + i));
    const auto next = hn::MulAdd(forget_gate, hn::Load(kTag, cell + i), hn::Mul(input_gate, candidate));
    hn::Store(next, kTag, cell + i);
    hn::Store(hn::Mul(output_gate, tanh(next)), kTag, stream.hidden.data() + i);
  }
}

HWY_INLINE float probability(const SileroWeights& weights, const SileroStream& stream) {
  auto sum = hn::Zero(kTag);
  for (std::size_t i = 0; i < SileroWeights::kHidden; i += kLanes) {
    const auto rectified = hn::Max(hn::Load(kTag, stream.hidden.data() + i), hn::Zero(kTag));
    sum = hn::MulAdd(rectified, hn::LoadU(kTag, weights.output.data() + i), sum);
  }
  const float logit = hn::GetLane(hn::SumOfLanes(kTag, sum)) + weights.output_bias;
  return 1.0f / (1.0f + std::exp(-logit));
}

template <std::size_t count>
HWY_NOINLINE void run_together(const SileroWeights& weights, SileroStream* const* streams) {
  constexpr std::size_t narrow = SileroWeights::kNarrow;
  constexpr std::size_t hidden = SileroWeights::kHidden;
  alignas(64) float second[count * 2 * narrow];
  alignas(64) float third[count * narrow];
  alignas(64) float lstm_input[count * 2 * hidden];
  alignas(64) float gates[count * 4 * hidden];

  for (std::size_t s = 0; s < count; ++s) {
    encode(weights, *streams[s], second + s * 2 * narrow);
    std::ranges::copy(streams[s]->hidden, lstm_input + (2 * s + 1) * hidden);
  }
  apply<count, After::relu>(weights.encoder[2], {second, 2 * narrow}, {third, narrow});
  apply<count, After::relu>(weights.encoder[3], {third, narrow}, {lstm_input, 2 * hidden});
  apply<count, After::nothing>(weights.lstm, {lstm_input, 2 * hidden}, {gates, 4 * hidden});
  for (std::size_t s = 0; s < count; ++s) {
    update_state(gates + s * 4 * hidden, *streams[s]);
    streams[s]->probability = probability(weights, *streams[s]);
  }
}

void run_all(const SileroWeights& weights, std::span<SileroStream* const> streams) {
  constexpr std::array run = {run_together<1>, run_together<2>, run_together<3>, run_together<kMaxStreams>};
  while (!streams.empty()) {
    const std::size_t count = std::min(streams.size(), kMaxStreams);
    run[count - 1](weights, streams.data());
    streams = streams.subspan(count);
  }
}

}  // namespace
}  // namespace dictum::vad::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace dictum::vad {

constexpr decltype(&HWY_STATIC_DISPATCH(run_all)) kRunAll[] = DICTUM_KERNELS(run_all);

void run_network(const SileroWeights& weights, std::span<SileroStream* const> streams) {
  kRunAll[chosen_kernels()](weights, streams);
}

}  // namespace dictum::vad

#endif
