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

/// A block of eight times these samples: a single sample decides nothing.
std::vector<float> block(std::initializer_list<float> samples) {
  std::vector<float> all;
  for (int i = 0; i < 8; ++i) all.insert(all.end(), samples);
  return all;
}

TEST(IntegerSamples, AreScaledFromTheBlockOnThatShowsThem) {
  IntegerSamples integers;
  bool is_recognized = false;
  EXPECT_EQ(scaled(integers, block({0, 8192, -32768}), &is_recognized), block({0, 0.25F, -1}));
  EXPECT_TRUE(is_recognized);
  EXPECT_THAT(scaled(integers, {1, 0, 0}, &is_recognized), ElementsAre(1 / 32768.0F, 0, 0));
  EXPECT_FALSE(is_recognized);
}

TEST(IntegerSamples, AreRecognizedByQuietWholeNumbers) {
  IntegerSamples integers;
  EXPECT_EQ(scaled(integers, block({0, 2, -1})), block({0, 2 / 32768.0F, -1 / 32768.0F}));
}

TEST(IntegerSamples, AreRecognizedByTheirLevelWhereTheyWereResampled) {
  IntegerSamples integers;
  EXPECT_EQ(scaled(integers, block({0.5F, 1024.5F})), block({0.5F / 32768, 1024.5F / 32768}));
}

TEST(IntegerSamples, AreRecognizedInALaterBlockToo) {
  IntegerSamples integers;
  EXPECT_EQ(scaled(integers, block({0.5F, -0.25F})), block({0.5F, -0.25F}));
  EXPECT_EQ(scaled(integers, block({16384})), block({0.5F}));
}

TEST(IntegerSamples, AreNotMistakenForAudioWithinFullScale) {
  IntegerSamples integers;
  EXPECT_EQ(scaled(integers, block({1, -1, 0})), block({1, -1, 0}));
  EXPECT_EQ(scaled(integers, block({0.5F, -0.25F})), block({0.5F, -0.25F}));
}

TEST(IntegerSamples, AreNotMistakenForAudioThatIsTooLoud) {
  IntegerSamples integers;
  EXPECT_EQ(scaled(integers, block({1.5F, -3, 2})), block({1.5F, -3, 2}));
}

TEST(IntegerSamples, AreNotMistakenForAGlitch) {
  IntegerSamples integers;
  EXPECT_THAT(scaled(integers, {0.5F, 900.5F, -0.25F}), ElementsAre(0.5F, 900.5F, -0.25F));
}

TEST(IntegerSamples, AreNotRecognizedWhereTheyDoNotFitSixteenBits) {
  IntegerSamples integers;
  EXPECT_EQ(scaled(integers, block({50'000, 2})), block({50'000, 2}));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(scaled(integers, {kInfinity, 2}), ElementsAre(kInfinity, 2));
}

}  // namespace
}  // namespace dictum::audio
