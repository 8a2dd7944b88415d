#include "audio/level_meter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace dictum::audio {
namespace {

TEST(LevelMeter, ASineOfFullScaleHasMinusThreeDecibelsRMSAndAPeakOfZero) {
  std::vector<float> sine(16000);
  for (std::size_t i = 0; i < sine.size(); ++i) {
    sine[i] = static_cast<float>(std::sin(2 * std::numbers::pi * 1000 * static_cast<double>(i) / 16000));
  }
  LevelMeter meter;
  meter.add(sine);
  const Level level = meter.take();
  EXPECT_NEAR(level.rms_dbfs, -3.01, 0.01);
  EXPECT_NEAR(level.peak_dbfs, 0, 0.01);
}

TEST(LevelMeter, DigitalSilenceAndNothingAtAllHaveTheFloor) {
  LevelMeter meter;
  EXPECT_EQ(meter.take().rms_dbfs, kSilenceDBFS);
  meter.add(std::vector<float>(100));
  const Level level = meter.take();
  EXPECT_EQ(level.rms_dbfs, kSilenceDBFS);
  EXPECT_EQ(level.peak_dbfs, kSilenceDBFS);
}

TEST(LevelMeter, TakingBeginsANewStretch) {
  LevelMeter meter;
  meter.add(std::vector<float>(100, 1.0F));
  meter.take();
  meter.add(std::vector<float>(100, -0.1F));
  const Level level = meter.take();
  EXPECT_NEAR(level.rms_dbfs, -20, 0.01);
  EXPECT_NEAR(level.peak_dbfs, -20, 0.01);
}

}  // namespace
}  // namespace dictum::audio
