#include "audio/pcm16.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace dictum::audio {
namespace {

std::int16_t converted(float sample) {
  std::int16_t pcm = 0;
  to_pcm16({&sample, 1}, {&pcm, 1});
  return pcm;
}

TEST(PCM16, EverySixteenBitSampleComesBackExactly) {
  std::vector<float> samples;
  for (int value = -32768; value <= 32767; ++value) samples.push_back(static_cast<float>(value) / 32768.0F);
  std::vector<std::int16_t> pcm(samples.size());
  to_pcm16(samples, pcm);
  for (int value = -32768; value <= 32767; ++value) ASSERT_EQ(pcm[static_cast<std::size_t>(value + 32768)], value);
}

TEST(PCM16, RoundsToTheNearest) {
  EXPECT_EQ(converted(1.4F / 32768), 1);
  EXPECT_EQ(converted(1.6F / 32768), 2);
  EXPECT_EQ(converted(-1.4F / 32768), -1);
  EXPECT_EQ(converted(-1.6F / 32768), -2);
}

TEST(PCM16, SaturatesWhatIsTooLoud) {
  EXPECT_EQ(converted(1.0F), 32767);
  EXPECT_EQ(converted(1e30F), 32767);
  EXPECT_EQ(converted(-1.1F), -32768);
  EXPECT_EQ(converted(std::numeric_limits<float>::lowest()), -32768);
}

TEST(PCM16, MakesZeroOfWhatIsNoFiniteNumber) {
  EXPECT_EQ(converted(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(converted(std::numeric_limits<float>::infinity()), 0);
  EXPECT_EQ(converted(-std::numeric_limits<float>::infinity()), 0);
}

}  // namespace
}  // namespace dictum::audio
