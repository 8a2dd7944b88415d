#include "vad/onnx_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "dictum/error.hpp"
#include "vad/embedded_model.hpp"
#include "vad/silero_weights.hpp"

namespace dictum::vad {
namespace {

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}

std::string number(std::uint64_t field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}

std::string bytes(std::uint64_t field, const std::string& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// A model whose graph holds one float tensor "w" of two by three.
std::string model_with(const std::string& dims, const std::string& data) {
  return bytes(7, bytes(5, dims + number(2, 1) + bytes(8, "w") + bytes(9, data)));
}

const std::string kTwoByThree = number(1, 2) + number(1, 3);
const std::vector<float> kSix = {1, 2, 3, 4, 5, 6};

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// The error of an action, which must be model_missing.
template <class Action>
void expect_model_missing(Action action) {
  try {
    action();
    FAIL() << "accepted";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::model_missing);
  }
}

TEST(OnnxWeights, ReadsATensorByName) {
  const auto model = number(1, 8) + model_with(kTwoByThree, floats(kSix)) + bytes(20, "a part that nobody knows");
  EXPECT_EQ(OnnxWeights(as_bytes(model)).values("w", {2, 3}), kSix);
}

TEST(OnnxWeights, ReadsPackedDimensions) {
  const auto model = model_with(bytes(1, varint(2) + varint(3)), floats(kSix));
  EXPECT_EQ(OnnxWeights(as_bytes(model)).values("w", {2, 3}), kSix);
}

TEST(OnnxWeights, RefusesAnotherShapeThanExpected) {
  const auto model = model_with(kTwoByThree, floats(kSix));
  const OnnxWeights weights(as_bytes(model));
  expect_model_missing([&] { weights.values("w", {3, 2}); });
}

TEST(OnnxWeights, RefusesANameThatIsNotThere) {
  const auto model = model_with(kTwoByThree, floats(kSix));
  const OnnxWeights weights(as_bytes(model));
  expect_model_missing([&] { weights.values("v", {2, 3}); });
}

TEST(OnnxWeights, RefusesValuesThatAreNotNumbers) {
  const auto model = model_with(kTwoByThree, floats({1, 2, NAN, 4, 5, 6}));
  const OnnxWeights weights(as_bytes(model));
  expect_model_missing([&] { weights.values("w", {2, 3}); });
}

TEST(OnnxWeights, RefusesDataThatIsShorterThanItsDimensions) {
  const auto model = model_with(kTwoByThree, floats({1, 2, 3, 4, 5}));
  expect_model_missing([&] { OnnxWeights weights(as_bytes(model)); });
}

TEST(OnnxWeights, RefusesDimensionsWhoseProductOverflows) {
  const auto model = model_with(number(1, 1ull << 33) + number(1, 1ull << 33), floats(kSix));
  expect_model_missing([&] { OnnxWeights weights(as_bytes(model)); });
}

TEST(OnnxWeights, RefusesALengthBeyondTheEnd) {
  const auto model = varint(7 << 3 | 2) + varint(~0ull);
  expect_model_missing([&] { OnnxWeights weights(as_bytes(model)); });
}

TEST(OnnxWeights, RefusesMoreTensorsThanAnyModelOfOursHas) {
  std::string tensors;
  for (int i = 0; i < 5000; ++i) tensors += bytes(5, number(2, 1) + number(1, 0));
  const auto model = bytes(7, tensors);
  expect_model_missing([&] { OnnxWeights weights(as_bytes(model)); });
}

TEST(OnnxWeights, EveryModelCutShortIsRefusedOrIncomplete) {
  const auto model = model_with(kTwoByThree, floats(kSix));
  for (std::size_t length = 0; length < model.size(); ++length) {
    const auto cut = model.substr(0, length);
    expect_model_missing([&] { OnnxWeights(as_bytes(cut)).values("w", {2, 3}); });
  }
}

TEST(SileroWeights, ADamagedModelIsRefusedWhereverItIsCut) {
  const auto model = embedded_model();
  if (model.empty()) GTEST_SKIP() << "the build has no Silero model";
  for (std::size_t part = 0; part < 40; ++part) {
    expect_model_missing([&] { SileroWeights::load(model.first(model.size() * part / 40)); });
  }
}

}  // namespace
}  // namespace dictum::vad
