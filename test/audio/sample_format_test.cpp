#include "audio/sample_format.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace dictum::audio {
namespace {

std::vector<float> decoded(SampleFormat format, std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  std::vector<float> samples(bytes.size() / size_of(format));
  decode(format, bytes, samples);
  return samples;
}

TEST(SampleFormat, ReadsWholeNumbersOfEverySize) {
  EXPECT_EQ(decoded(SampleFormat::u8, {0, 128, 192}), (std::vector{-1.0F, 0.0F, 0.5F}));
  EXPECT_EQ(decoded(SampleFormat::s16, {0x00, 0x80, 0x00, 0x40, 0x01, 0x00}), (std::vector{-1.0F, 0.5F, 1.0F / 32768}));
  EXPECT_EQ(decoded(SampleFormat::s24, {0, 0, 0x80, 0, 0, 0x40}), (std::vector{-1.0F, 0.5F}));
  EXPECT_EQ(decoded(SampleFormat::s32, {0, 0, 0, 0x80, 0, 0, 0, 0x40}), (std::vector{-1.0F, 0.5F}));
}

TEST(SampleFormat, ReadsFloatingPointNumbers) {
  EXPECT_EQ(decoded(SampleFormat::f32, {0, 0, 0, 0x3F, 0, 0, 0x80, 0xBF}), (std::vector{0.5F, -1.0F}));
  EXPECT_EQ(decoded(SampleFormat::f64, {0, 0, 0, 0, 0, 0, 0xE0, 0x3F}), (std::vector{0.5F}));
}

TEST(SampleFormat, ADoubleTooLargeForAFloatIsInfinite) {
  EXPECT_EQ(decoded(SampleFormat::f64, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xEF, 0xFF}), (std::vector{-HUGE_VALF}));
  EXPECT_TRUE(std::isnan(decoded(SampleFormat::f64, {0, 0, 0, 0, 0, 0, 0xF8, 0x7F})[0]));
}

}  // namespace
}  // namespace dictum::audio
