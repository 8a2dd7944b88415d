#include "audio/float_scale.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace dictum::audio {
namespace {

std::vector<float> tone(float amplitude, bool is_rounded) {
  std::vector<float> samples(1000);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = amplitude * std::sin(static_cast<float>(i) / 10);
    if (is_rounded) samples[i] = std::round(samples[i]);
  }
  return samples;
}

TEST(FloatScale, WholeNumbersFarAboveOneAreDividedBy32768) {
  EXPECT_EQ(float_scale(tone(12'000, true)), 1.0F / 32768);
  EXPECT_EQ(float_scale(tone(20, true)), 1.0F / 32768) << "a quiet room";
}

TEST(FloatScale, FractionsFarAboveOneAreDividedToo) {
  EXPECT_EQ(float_scale(tone(12'000, false)), 1.0F / 32768);
}

TEST(FloatScale, SoundThatIsOnlyTooLoudKeepsItsValues) {
  EXPECT_EQ(float_scale(tone(0.5F, false)), 1.0F);
  EXPECT_EQ(float_scale(tone(4, false)), 1.0F);
  EXPECT_EQ(float_scale(tone(3e38F, false)), 1.0F);
}

TEST(FloatScale, ZerosAndOnesDecideNothing) {
  EXPECT_EQ(float_scale(std::vector<float>{}), std::nullopt);
  EXPECT_EQ(float_scale(std::vector<float>{0, 1, -1, 0, 1}), std::nullopt);
}

TEST(FloatScale, WhatIsNoNumberDecidesNothing) {
  EXPECT_EQ(float_scale(std::vector<float>(9, std::numeric_limits<float>::quiet_NaN())), std::nullopt);
}

}  // namespace
}  // namespace dictum::audio
