#include "reference_silero.hpp"

#include <algorithm>
#include <cmath>

#include "vad/onnx_weights.hpp"

namespace dictum::vad::test {
namespace {

constexpr std::size_t kContext = 64;
constexpr std::size_t kPadding = 64;
constexpr std::size_t kFrame = 256;
constexpr std::size_t kHop = 128;
constexpr std::size_t kBins = 129;
constexpr std::size_t kHidden = 128;

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

double dot(std::span<const float> weights, std::span<const double> values) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += static_cast<double>(weights[i]) * values[i];
  return sum;
}

}  // namespace

ReferenceSilero::ReferenceSilero(std::span<const std::byte> onnx_model)
    : context_(kContext), cell_(kHidden), hidden_(kHidden) {
  const OnnxWeights model(onnx_model);
  const auto take = [&](const std::string& name, std::initializer_list<std::int64_t> dims) {
    weights_[name] = model.values("model." + name, dims);
  };
  take("stft.forward_basis_buffer", {2 * kBins, 1, kFrame});
  const std::int64_t channels[] = {kBins, 128, 64, 64, 128};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto layer = "encoder." + std::to_string(i) + ".reparam_conv.";
    take(layer + "weight", {channels[i + 1], channels[i], 3});
    take(layer + "bias", {channels[i + 1]});
  }
  for (const std::string side : {"ih", "hh"}) {
    take("decoder.rnn.weight_" + side, {4 * kHidden, kHidden});
    take("decoder.rnn.bias_" + side, {4 * kHidden});
  }
  take("decoder.decoder.2.weight", {1, kHidden, 1});
  take("decoder.decoder.2.bias", {1});
}

double ReferenceSilero::probability(std::span<const float, kVADWindow> window) {
  auto signal = context_;
  signal.insert(signal.end(), window.begin(), window.end());
  context_.assign(signal.end() - kContext, signal.end());
  const std::vector<double> mirrored(signal.rbegin() + 1, signal.rbegin() + 1 + kPadding);
  signal.insert(signal.end(), mirrored.begin(), mirrored.end());

  Rows features = magnitudes(signal);
  features = convolution(features, 0, 1);
  features = convolution(features, 1, 2);
  features = convolution(features, 2, 2);
  features = convolution(features, 3, 1);

  std::vector<double> gates(4 * kHidden);
  for (std::size_t g = 0; g < gates.size(); ++g) {
    const auto row = [&](const std::string& side) {
      return std::span(weights_.at("decoder.rnn.weight_" + side)).subspan(g * kHidden, kHidden);
    };
    gates[g] = static_cast<double>(weights_.at("decoder.rnn.bias_ih")[g]) +
               static_cast<double>(weights_.at("decoder.rnn.bias_hh")[g]) + dot(row("ih"), features.front()) +
               dot(row("hh"), hidden_);
  }
  std::vector<double> rectified(kHidden);
  for (std::size_t i = 0; i < kHidden; ++i) {
    cell_[i] = sigmoid(gates[kHidden + i]) * cell_[i] + sigmoid(gates[i]) * std::tanh(gates[2 * kHidden + i]);
    hidden_[i] = sigmoid(gates[3 * kHidden + i]) * std::tanh(cell_[i]);
    rectified[i] = std::max(hidden_[i], 0.0);
  }
  return sigmoid(dot(weights_.at("decoder.decoder.2.weight"), rectified) +
                 static_cast<double>(weights_.at("decoder.decoder.2.bias")[0]));
}

ReferenceSilero::Rows ReferenceSilero::magnitudes(const std::vector<double>& signal) const {
  const std::span<const float> basis = weights_.at("stft.forward_basis_buffer");
  Rows out;
  for (std::size_t start = 0; start + kFrame <= signal.size(); start += kHop) {
    const auto frame = std::span(signal).subspan(start, kFrame);
    auto& row = out.emplace_back(kBins);
    for (std::size_t k = 0; k < kBins; ++k) {
      row[k] = std::hypot(dot(basis.subspan(k * kFrame, kFrame), frame),
                          dot(basis.subspan((kBins + k) * kFrame, kFrame), frame));
    }
  }
  return out;
}

/// Three taps, padded with one row of zeros on both sides, and rectified.
ReferenceSilero::Rows ReferenceSilero::convolution(const Rows& in, int number, std::size_t stride) const {
  const auto layer = "encoder." + std::to_string(number) + ".reparam_conv.";
  const auto& weights = weights_.at(layer + "weight");
  const auto& biases = weights_.at(layer + "bias");
  const std::size_t inputs = in.front().size();
  Rows out;
  for (std::size_t middle = 0; middle < in.size(); middle += stride) {
    auto& row = out.emplace_back(biases.begin(), biases.end());
    for (std::size_t o = 0; o < row.size(); ++o) {
      for (std::size_t tap = 0; tap < 3; ++tap) {
        if (middle + tap < 1 || middle + tap > in.size()) continue;
        for (std::size_t i = 0; i < inputs; ++i) {
          row[o] += static_cast<double>(weights[(o * inputs + i) * 3 + tap]) * in[middle + tap - 1][i];
        }
      }
      row[o] = std::max(row[o], 0.0);
    }
  }
  return out;
}

}  // namespace dictum::vad::test
