#include "audio/channel_mixer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "dictum/error.hpp"

namespace dictum::audio {
namespace {

std::vector<float> mixed(ChannelMixer& mixer, int channels, const std::vector<float>& interleaved) {
  std::vector<float> mono(interleaved.size() / static_cast<std::size_t>(channels));
  mixer.mix(interleaved, mono);
  return mono;
}

std::vector<float> noise(std::size_t size, float amplitude) {
  std::minstd_rand engine(1);
  std::uniform_real_distribution<float> sample(-amplitude, amplitude);
  std::vector<float> result(size);
  std::ranges::generate(result, [&] { return sample(engine); });
  return result;
}

// Every sample of `mono` as one frame, scaled for each channel.
std::vector<float> spread(const std::vector<float>& mono, const std::vector<float>& gains) {
  std::vector<float> result;
  for (const float sample : mono) {
    for (const float gain : gains) result.push_back(sample * gain);
  }
  return result;
}

TEST(ChannelChoice, ReadsMixAndNumbers) {
  EXPECT_EQ(parse_channel_choice("mix", 2), ChannelChoice{});
  EXPECT_EQ(parse_channel_choice("0", 1), ChannelChoice{.index = 0});
  EXPECT_EQ(parse_channel_choice("31", 32), ChannelChoice{.index = 31});
}

TEST(ChannelChoice, SaysHowManyChannelsThereAre) {
  try {
    parse_channel_choice("2", 2);
    FAIL() << "took channel 2 of 2";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::invalid_argument);
    EXPECT_STREQ(error.what(), "There is no channel 2: the input has 2 channels, numbered from 0 to 1.");
  }
}

TEST(ChannelChoice, RefusesWhatIsNoChannel) {
  for (const char* text : {"", "-1", "1x", "left", "0.5", " 1", "99999999999999999999"}) {
    EXPECT_THROW(parse_channel_choice(text, 2), RecorderError) << text;
  }
}

TEST(ChannelMixer, AveragesTheChannels) {
  ChannelMixer mixer(2, {});
  EXPECT_EQ(mixed(mixer, 2, {0.5F, 0.25F, -1.0F, 0.0F}), (std::vector{0.375F, -0.5F}));
}

TEST(ChannelMixer, PicksTheChannelThatWasChosen) {
  ChannelMixer mixer(3, {.index = 2});
  EXPECT_EQ(mixed(mixer, 3, {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F}), (std::vector{0.3F, 0.6F}));
}

TEST(ChannelMixer, PassesASingleChannelUnchanged) {
  ChannelMixer mixer(1, {});
  const auto sound = noise(1000, 1.0F);
  EXPECT_EQ(mixed(mixer, 1, sound), sound);
}

TEST(ChannelMixer, LetsOnlyFiniteSamplesWithinFullScaleIn) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  ChannelMixer single(1, {});
  EXPECT_EQ(mixed(single, 1, {nan, infinity, -infinity, 7.0F, -1e30F}), (std::vector{0.0F, 0.0F, 0.0F, 1.0F, -1.0F}));
  ChannelMixer picked(2, {.index = 0});
  EXPECT_EQ(mixed(picked, 2, {nan, 0.5F, 2.0F, 0.5F}), (std::vector{0.0F, 1.0F}));
  ChannelMixer averaged(2, {});
  EXPECT_EQ(mixed(averaged, 2, {nan, 0.5F, 3.0F, 1.0F}), (std::vector{0.25F, 1.0F}));
}

TEST(ChannelMixer, NoticesChannelsThatCancelEachOther) {
  ChannelMixer mixer(2, {});
  const auto sound = spread(noise(8000, 0.3F), {1.0F, -0.95F});
  mixed(mixer, 2, sound);
  EXPECT_FALSE(mixer.cancels()) << "too little to decide by";
  for (int i = 0; i < 4; ++i) mixed(mixer, 2, sound);
  EXPECT_TRUE(mixer.cancels());
}

TEST(ChannelMixer, SilenceIsNoCancelling) {
  ChannelMixer mixer(2, {});
  mixed(mixer, 2, spread(noise(200'000, 0.001F), {1.0F, -1.0F}));
  EXPECT_FALSE(mixer.cancels());
}

TEST(ChannelMixer, ASingleMicrophoneOnThirtyTwoChannelsIsNoCancelling) {
  ChannelMixer mixer(32, {});
  std::vector<float> gains(32);
  gains[5] = 1.0F;
  mixed(mixer, 32, spread(noise(60'000, 0.9F), gains));
  EXPECT_FALSE(mixer.cancels());
}

TEST(ChannelMixer, APickedChannelDoesNotCancel) {
  ChannelMixer mixer(2, {.index = 1});
  mixed(mixer, 2, spread(noise(60'000, 0.5F), {1.0F, -1.0F}));
  EXPECT_FALSE(mixer.cancels());
}

}  // namespace
}  // namespace dictum::audio
