#include "vad/silero_vad.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "reference_silero.hpp"
#include "support/test_data.hpp"
#include "vad/detector.hpp"
#include "vad/embedded_model.hpp"
#include "vad/onnx_weights.hpp"
#include "vad_test_data.hpp"

namespace dictum::vad {
namespace {

using test::noise;
using test::window_of;

constexpr float kTolerance = 1e-4f;

class SileroVADTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!weights_) GTEST_SKIP() << "the build has no Silero model";
  }
  const std::shared_ptr<const SileroWeights> weights_ = embedded_weights();
};

float largest_difference(SileroVAD& vad, const std::vector<float>& samples, const std::vector<float>& expected) {
  float largest = 0;
  for (std::size_t w = 0; w < expected.size(); ++w) {
    const float difference = std::abs(vad.probability(window_of(samples, w)) - expected[w]);
    if (!(difference <= largest)) largest = difference;  // also where it is not a number
  }
  return largest;
}

class SileroVADParity : public SileroVADTest, public testing::WithParamInterface<std::string> {};

TEST_P(SileroVADParity, EqualsTheOfficialModelOnEveryWindowAndEveryKindOfVectorUnit) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/" + GetParam() + ".wav");
  DICTUM_TEST_DATA_OR_SKIP(text, "vad/" + GetParam() + ".probs.txt");
  const auto samples = test::read_samples(wav);
  const auto expected = test::read_probabilities(text);
  ASSERT_EQ(samples.size() / kVADWindow, expected.size());
  test::on_every_vector_unit([&](const std::string& unit) {
    SileroVAD vad(weights_);
    EXPECT_LE(largest_difference(vad, samples, expected), kTolerance) << unit;
  });
}

INSTANTIATE_TEST_SUITE_P(Recordings, SileroVADParity, testing::Values("jfk", "radio", "conversation"),
                         [](const auto& name) { return name.param; });

constexpr std::size_t kWindows = 40;

/// A signal that is cut off at full scale most of the time.
std::vector<float> clipping() {
  auto samples = noise(kWindows, 20.0f);
  for (float& sample : samples) sample = std::clamp(sample, -1.0f, 1.0f);
  return samples;
}

std::vector<float> clicks() {
  std::vector<float> samples(kWindows * kVADWindow);
  for (std::size_t i = 100; i < samples.size(); i += 1237) samples[i] = 1.0f;
  return samples;
}

std::vector<float> expected_of(std::span<const std::byte> model, const std::vector<float>& samples) {
  test::ReferenceSilero reference(model);
  std::vector<float> expected;
  for (std::size_t w = 0; w < kWindows; ++w) {
    expected.push_back(static_cast<float>(reference.probability(window_of(samples, w))));
  }
  return expected;
}

TEST_F(SileroVADTest, EqualsTheReferenceOnSignalsThatNobodySpeaks) {
  const std::pair<const char*, std::vector<float>> signals[] = {{"noise", noise(kWindows)},
                                                                {"quiet noise", noise(kWindows, 1e-4f)},
                                                                {"silence", std::vector<float>(kWindows * kVADWindow)},
                                                                {"clipping", clipping()},
                                                                {"clicks", clicks()}};
  for (const auto& [name, samples] : signals) {
    const auto expected = expected_of(embedded_model(), samples);
    test::on_every_vector_unit([&](const std::string& unit) {
      SileroVAD vad(weights_);
      EXPECT_LE(largest_difference(vad, samples, expected), kTolerance) << name << ", " << unit;
    });
  }
}

TEST_F(SileroVADTest, EqualsTheReferenceWithASpectrumThatIsNoFourierTransform) {
  const auto original = embedded_model();
  std::vector<std::byte> model(original.begin(), original.end());
  const OnnxWeights weights(model);
  const auto basis =
      std::ranges::find(weights.tensors(), "model.stft.forward_basis_buffer", &OnnxWeights::Tensor::name);
  ASSERT_NE(basis, weights.tensors().end());
  const auto first = static_cast<std::size_t>(basis->raw.data() - model.data());
  for (std::size_t at = first; at < first + basis->raw.size(); at += 5 * sizeof(float)) {
    float value = 0;
    std::memcpy(&value, &model[at], sizeof value);
    value *= 1.5f;
    std::memcpy(&model[at], &value, sizeof value);
  }
  const auto samples = noise(kWindows);
  const auto expected = expected_of(model, samples);
  const auto changed = SileroWeights::load(model);
  ASSERT_FALSE(changed->stft.is_fast());
  test::on_every_vector_unit([&](const std::string& unit) {
    SileroVAD vad(changed);
    EXPECT_LE(largest_difference(vad, samples, expected), kTolerance) << unit;
  });
}

TEST_F(SileroVADTest, ResetBeginsANewStream) {
  const auto samples = noise(20);
  SileroVAD vad(weights_);
  std::vector<float> first;
  for (std::size_t w = 0; w < 20; ++w) first.push_back(vad.probability(window_of(samples, w)));
  vad.reset();
  std::vector<float> second;
  for (std::size_t w = 0; w < 20; ++w) second.push_back(vad.probability(window_of(samples, w)));
  EXPECT_EQ(first, second);
}

TEST_F(SileroVADTest, InstancesWithSharedWeightsDoNotInfluenceEachOther) {
  const auto samples = noise(20);
  SileroVAD alone(weights_);
  SileroVAD vad(weights_);
  SileroVAD other(weights_);
  const std::vector<float> silence(kVADWindow);
  for (std::size_t w = 0; w < 20; ++w) {
    other.probability(window_of(silence, 0));
    EXPECT_EQ(vad.probability(window_of(samples, w)), alone.probability(window_of(samples, w)));
  }
}

TEST_F(SileroVADTest, SamplesThatAreNotFiniteCountAsSilence) {
  auto samples = noise(4);
  auto silenced = samples;
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
  for (std::size_t i = 0; i < samples.size(); i += 7) {
    samples[i] = bad[i % 3];
    silenced[i] = 0;
  }
  SileroVAD vad(weights_);
  SileroVAD reference(weights_);
  for (std::size_t w = 0; w < 4; ++w) {
    EXPECT_EQ(vad.probability(window_of(samples, w)), reference.probability(window_of(silenced, w)));
  }
}

TEST_F(SileroVADTest, RecoversFromTheLoudestPossibleSamples) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/jfk.wav");
  DICTUM_TEST_DATA_OR_SKIP(text, "vad/jfk.probs.txt");
  const auto samples = test::read_samples(wav);
  const auto expected = test::read_probabilities(text);
  SileroVAD vad(weights_);
  std::vector<float> loudest(kVADWindow, std::numeric_limits<float>::max());
  for (std::size_t i = 0; i < loudest.size(); i += 3) loudest[i] = -loudest[i];
  for (int i = 0; i < 10; ++i) {
    const float probability = vad.probability(window_of(loudest, 0));
    EXPECT_TRUE(probability >= 0 && probability <= 1);
  }
  std::size_t agreeing = 0;
  for (std::size_t w = 0; w < expected.size(); ++w) {
    if (std::abs(vad.probability(window_of(samples, w)) - expected[w]) < 0.1f) ++agreeing;
  }
  EXPECT_GT(agreeing, expected.size() * 9 / 10);
}

}  // namespace
}  // namespace dictum::vad
