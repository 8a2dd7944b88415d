#include "capture/format_converter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace dictum::capture {
namespace {

TEST(FormatConverter, GivesOneChannelTheMeanOfTwo) {
  FormatConverter converter({48000, 2}, {48000, 1});
  std::vector<float> out;
  converter.process(std::vector<float>{0.25F, 0.75F, -1.0F, 0.0F}, out);
  EXPECT_EQ(out, (std::vector<float>{0.5F, -0.5F}));
}

TEST(FormatConverter, GivesEachOfSeveralChannelsTheOnlyOne) {
  FormatConverter converter({48000, 1}, {48000, 3});
  std::vector<float> out;
  converter.process(std::vector<float>{0.25F, -1.0F}, out);
  EXPECT_EQ(out, (std::vector<float>{0.25F, 0.25F, 0.25F, -1.0F, -1.0F, -1.0F}));
}

TEST(FormatConverter, KeepsChannelsApartWhereTheirNumberIsTheSame) {
  FormatConverter converter({48000, 2}, {48000, 2});
  const std::vector<float> in{0.1F, 0.2F, 0.3F, 0.4F};
  std::vector<float> out;
  converter.process(in, out);
  EXPECT_EQ(out, in);
}

TEST(FormatConverter, KeepsATonesPitchAtAnotherRate) {
  FormatConverter converter({44100, 1}, {48000, 1});
  std::vector<float> tone(44100);
  for (std::size_t i = 0; i < tone.size(); ++i) {
    tone[i] = static_cast<float>(std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / 44100));
  }
  std::vector<float> out;
  converter.process(tone, out);
  double worst = 0;
  for (std::size_t i = 1000; i < 47000; ++i) {
    const double wanted = std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / 48000);
    worst = std::max(worst, std::abs(static_cast<double>(out[i]) - wanted));
  }
  EXPECT_LT(worst, 0.01);
}

}  // namespace
}  // namespace dictum::capture
