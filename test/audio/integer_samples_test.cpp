#include "audio/integer_samples.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <vector>

namespace dictum::audio {
namespace {

using ::testing::ElementsAre;

std::vector<float> scaled(IntegerSamples& integers, std::vector<float> samples, bool* is_recognized = nullptr) {
  const bool recognized = integers.scale(samples);
  if (is_recognized != nullptr) *is_recognized = recognized;
  return samples;
}

TEST(IntegerSamples, AreScaledFromTheBlockOnThatShowsThem) {
  IntegerSamples integers;
  bool is_recognized = false;
  EXPECT_THAT(scaled(integers, {0, 8192, -32768}, &is_recognized), ElementsAre(0, 0.25F, -1));
  EXPECT_TRUE(is_recognized);
  EXPECT_THAT(scaled(integers, {1, 0, 0}, &is_recognized), ElementsAre(1 / 32768.0F, 0, 0));
  EXPECT_FALSE(is_recognized);
}

TEST(IntegerSamples, AreRecognizedByQuietWholeNumbers) {
  IntegerSamples integers;
  EXPECT_THAT(scaled(integers, {0, 2, -1}), ElementsAre(0, 2 / 32768.0F, -1 / 32768.0F));
}

TEST(IntegerSamples, AreRecognizedByTheirLevelWhereTheyWereResampled) {
  IntegerSamples integers;
  EXPECT_THAT(scaled(integers, {0.5F, 1024.5F}), ElementsAre(0.5F / 32768, 1024.5F / 32768));
}

TEST(IntegerSamples, AreNotMistakenForAudioWithinFullScale) {
  IntegerSamples integers;
  EXPECT_THAT(scaled(integers, {1, -1, 0}), ElementsAre(1, -1, 0));
  EXPECT_THAT(scaled(integers, {0.5F, -0.25F}), ElementsAre(0.5F, -0.25F));
}

TEST(IntegerSamples, AreNotMistakenForAudioThatIsTooLoud) {
  IntegerSamples integers;
  EXPECT_THAT(scaled(integers, {1.5F, -3, 2}), ElementsAre(1.5F, -3, 2));
}

TEST(IntegerSamples, AreNotRecognizedWhereTheyDoNotFitSixteenBits) {
  IntegerSamples integers;
  EXPECT_THAT(scaled(integers, {40'000, 2}), ElementsAre(40'000, 2));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(scaled(integers, {kInfinity, 2}), ElementsAre(kInfinity, 2));
}

}  // namespace
}  // namespace dictum::audio
