#include "vad/silero_vad.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "support/test_data.hpp"
#include "vad/detector.hpp"
#include "vad_test_data.hpp"

namespace dictum::vad {
namespace {

constexpr float kTolerance = 1e-4f;

class SileroVADTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!weights_) GTEST_SKIP() << "the build has no Silero model";
  }
  const std::shared_ptr<const SileroWeights> weights_ = load_embedded_weights();
};

std::span<const float, kVADWindow> window_of(const std::vector<float>& samples, std::size_t index) {
  return std::span(samples).subspan(index * kVADWindow).first<kVADWindow>();
}

float largest_difference(SileroVAD& vad, const std::vector<float>& samples, const std::vector<float>& expected) {
  float largest = 0;
  for (std::size_t w = 0; w < expected.size(); ++w) {
    const float difference = std::abs(vad.probability(window_of(samples, w)) - expected[w]);
    if (!(difference <= largest)) largest = difference;  // also where it is not a number
  }
  return largest;
}

/// Noise with the rough level of speech: anything but silence does.
std::vector<float> noise(std::size_t windows) {
  std::vector<float> samples(windows * kVADWindow);
  std::uint32_t state = 1;
  for (float& sample : samples) {
    state = state * 1664525u + 1013904223u;
    sample = (static_cast<float>(state >> 8) / 8388608.0f - 1.0f) * 0.1f;
  }
  return samples;
}

class SileroVADParity : public SileroVADTest, public testing::WithParamInterface<std::string> {};

TEST_P(SileroVADParity, EqualsTheOfficialModelOnEveryWindow) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/" + GetParam() + ".wav");
  DICTUM_TEST_DATA_OR_SKIP(text, "vad/" + GetParam() + ".probs.txt");
  const auto samples = test::read_samples(wav);
  const auto expected = test::read_probabilities(text);
  ASSERT_EQ(samples.size() / kVADWindow, expected.size());
  SileroVAD vad(weights_);
  EXPECT_LE(largest_difference(vad, samples, expected), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(Recordings, SileroVADParity, testing::Values("jfk", "radio", "conversation"),
                         [](const auto& name) { return name.param; });

TEST_F(SileroVADTest, EqualsTheOfficialModelOnEveryKindOfVectorUnit) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/jfk.wav");
  DICTUM_TEST_DATA_OR_SKIP(text, "vad/jfk.probs.txt");
  const auto samples = test::read_samples(wav);
  const auto expected = test::read_probabilities(text);
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    SileroVAD vad(weights_);
    EXPECT_LE(largest_difference(vad, samples, expected), kTolerance) << hwy::TargetName(target);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
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

TEST_F(SileroVADTest, InstancesThatShareWeightsDoNotMeet) {
  const auto samples = noise(20);
  SileroVAD alone(weights_);
  SileroVAD one(weights_);
  SileroVAD other(weights_);
  const std::vector<float> silence(kVADWindow);
  for (std::size_t w = 0; w < 20; ++w) {
    other.probability(window_of(silence, 0));
    EXPECT_EQ(one.probability(window_of(samples, w)), alone.probability(window_of(samples, w)));
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

TEST_F(SileroVADTest, RecoversFromTheLoudestSamplesThereAre) {
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
