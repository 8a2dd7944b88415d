#include "vad/silero_weights.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "vad/onnx_weights.hpp"

namespace dictum::vad {
namespace {

STFT stft(const OnnxWeights& model) {
  return STFT(model.values("model.stft.forward_basis_buffer", {2 * STFT::kBins, 1, STFT::kSize}));
}

/// A convolution of three taps, of which only `tap_count` from `first_tap` on are kept: with so few frames in a window,
/// the others of the later layers meet nothing but padding.
LinearLayer convolution(const OnnxWeights& model, std::size_t number, std::size_t inputs, std::size_t outputs,
                        std::size_t first_tap = 0, std::size_t tap_count = 3) {
  constexpr std::size_t taps = 3;
  const auto name = "model.encoder." + std::to_string(number) + ".reparam_conv.";
  const auto signed_inputs = static_cast<std::int64_t>(inputs);
  const auto signed_outputs = static_cast<std::int64_t>(outputs);
  const auto weights = model.values(name + "weight", {signed_outputs, signed_inputs, taps});
  const auto biases = model.values(name + "bias", {signed_outputs});
  LinearLayer layer(tap_count * inputs, outputs);
  for (std::size_t out = 0; out < outputs; ++out) {
    layer.bias(out) = biases[out];
    for (std::size_t in = 0; in < inputs; ++in) {
      for (std::size_t tap = 0; tap < tap_count; ++tap) {
        layer.weight(tap * inputs + in, out) = weights[(out * inputs + in) * taps + first_tap + tap];
      }
    }
  }
  return layer;
}

LinearLayer lstm_layer(const OnnxWeights& model) {
  constexpr std::size_t hidden = SileroWeights::kHidden;
  constexpr std::size_t gates = 4 * hidden;
  const auto input_weights = model.values("model.decoder.rnn.weight_ih", {gates, hidden});
  const auto hidden_weights = model.values("model.decoder.rnn.weight_hh", {gates, hidden});
  const auto input_biases = model.values("model.decoder.rnn.bias_ih", {gates});
  const auto hidden_biases = model.values("model.decoder.rnn.bias_hh", {gates});
  LinearLayer layer(2 * hidden, gates);
  for (std::size_t out = 0; out < gates; ++out) {
    layer.bias(out) = input_biases[out] + hidden_biases[out];
    for (std::size_t in = 0; in < hidden; ++in) {
      layer.weight(in, out) = input_weights[out * hidden + in];
      layer.weight(hidden + in, out) = hidden_weights[out * hidden + in];
    }
  }
  return layer;
}

}  // namespace

SileroWeights::SileroWeights(const OnnxWeights& model)
    : stft(vad::stft(model)),
      encoder{convolution(model, 0, STFT::kBins, kWide), convolution(model, 1, kWide, kNarrow),
              convolution(model, 2, kNarrow, kNarrow, 1, 2), convolution(model, 3, kNarrow, kWide, 1, 1)},
      lstm(lstm_layer(model)) {
  std::ranges::copy(model.values("model.decoder.decoder.2.weight", {1, kHidden, 1}), output.begin());
  output_bias = model.values("model.decoder.decoder.2.bias", {1}).front();
}

std::shared_ptr<const SileroWeights> SileroWeights::load(std::span<const std::byte> onnx_model) {
  return std::shared_ptr<const SileroWeights>(new SileroWeights(OnnxWeights(onnx_model)));
}

}  // namespace dictum::vad
