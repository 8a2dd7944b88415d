#include "capture/signal_monitor.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "support/sounds.hpp"
#include "support/test_data.hpp"

namespace dictum::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRate = 16000;

class SignalMonitorTest : public ::testing::Test {
 protected:
  SignalMonitorTest() { start(1); }

  void start(int channels) {
    channels_ = channels;
    monitor_.start({kRate, channels}, "Desk");
  }

  /// A tone of that amplitude in each channel, in blocks of an odd size.
  void play(double seconds, std::vector<float> amplitudes, bool is_muted = false) {
    std::vector<float> block;
    for (int i = 0; i < static_cast<int>(seconds * kRate); ++i) {
      const double phase = 0.05 * frame_++;
      for (const float amplitude : amplitudes) {
        block.push_back(std::clamp(amplitude * static_cast<float>(std::sin(phase)), -1.0F, 1.0F));
      }
      if (block.size() >= 333 * amplitudes.size()) process(block, is_muted);
    }
    process(block, is_muted);
  }

  void process(std::vector<float>& block, bool is_muted) {
    monitor_.process(block, is_muted);
    block.clear();
    while (auto fault = monitor_.take_fault()) {
      codes_.push_back(fault->code);
      messages_.push_back(fault->message);
      seconds_.push_back(frame_ / kRate);
      EXPECT_TRUE(fault->recoverable);
    }
  }

  SignalMonitor monitor_;
  int channels_ = 1;
  double frame_ = 0;
  std::vector<std::string> codes_;
  std::vector<std::string> messages_;
  std::vector<double> seconds_;  // when each was reported
};

TEST_F(SignalMonitorTest, ReportsDigitalZerosAfterThreeSeconds) {
  play(2.9, {0});
  EXPECT_THAT(codes_, IsEmpty());
  play(7, {0});
  ASSERT_THAT(codes_, ElementsAre("input_silent"));
  EXPECT_NEAR(seconds_.front(), 3, 0.15);
  EXPECT_THAT(messages_.front(), HasSubstr("\"Desk\""));
  EXPECT_THAT(messages_.front(), HasSubstr("3 s"));
}

TEST_F(SignalMonitorTest, ReportsTheEndOfDigitalZeros) {
  play(5, {0});
  play(0.2, {0.1F});
  EXPECT_THAT(codes_, ElementsAre("input_silent", "input_silent"));
  EXPECT_THAT(messages_.back(), HasSubstr("delivers sound again"));
  EXPECT_NEAR(seconds_.back(), 5.1, 0.15);
}

TEST_F(SignalMonitorTest, ReportsNoShortPauseOfZeros) {
  for (int i = 0; i < 10; ++i) {
    play(2.5, {0});
    play(0.5, {0.1F});
  }
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsTheSilencesOfANoiseGateLessAndLessOften) {
  for (int i = 0; i < 20; ++i) {
    play(4, {0});
    play(1, {0.1F});
  }
  EXPECT_THAT(codes_, SizeIs(2));
  play(6.5, {0});
  EXPECT_THAT(codes_, SizeIs(3));
}

TEST_F(SignalMonitorTest, ReportsNoNoiseFloorHoweverLow) {
  std::mt19937 dice(1);
  for (int i = 0; i < 60; ++i) {
    std::vector<float> block(kRate);
    for (auto& sample : block) sample = static_cast<float>(static_cast<int>(dice() % 3) - 1) / 32768;
    process(block, false);
  }
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsNoZerosWhereTheDeviceIsKnownToBeMuted) {
  play(10, {0}, true);
  play(2.5, {0});
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsASilentChannelBesideOneWithSoundOnce) {
  start(2);
  play(10, {0.5F, 0});
  ASSERT_THAT(codes_, ElementsAre("channel_silent"));
  EXPECT_THAT(messages_.front(), HasSubstr("Channel 1"));
  EXPECT_THAT(messages_.front(), HasSubstr("--channel 0"));
}

TEST_F(SignalMonitorTest, ReportsAChannelThatHasOnlyItsOwnNoise) {
  start(2);
  play(10, {0.00002F, 0.5F});
  ASSERT_THAT(codes_, ElementsAre("channel_silent"));
  EXPECT_THAT(messages_.front(), HasSubstr("Channel 0"));
}

TEST_F(SignalMonitorTest, ReportsNoChannelThatIsOnlyQuieter) {
  start(2);
  play(10, {0.5F, 0.01F});
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsNoChannelInSilence) {
  start(2);
  play(10, {0.001F, 0});
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsClippingOnce) {
  play(30, {2});
  ASSERT_THAT(codes_, ElementsAre("input_clipped"));
  EXPECT_LT(seconds_.front(), 1.5);
}

TEST_F(SignalMonitorTest, ReportsNoToneOfFullScale) {
  play(30, {1});
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsNoSingleClippedMoment) {
  for (int i = 0; i < 10; ++i) {
    play(0.1, {2});
    play(9.9, {0.3F});
  }
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsSoundThatIsTooQuietOnce) {
  for (int i = 0; i < 30; ++i) {
    play(1.5, {0.00005F});
    play(0.5, {0.002F});
  }
  ASSERT_THAT(codes_, ElementsAre("input_quiet"));
  EXPECT_NEAR(seconds_.front(), 20, 1);
  EXPECT_THAT(messages_.front(), HasSubstr("-54 dBFS"));
}

TEST_F(SignalMonitorTest, ReportsNothingInAQuietRoom) {
  play(120, {0.001F});
  EXPECT_THAT(codes_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsNothingAboutOrdinarySpeech) {
  DICTUM_TEST_DATA_OR_SKIP(file, "audio/conversation.wav");
  auto sound = dictum::test::read_sound(file);
  monitor_.start({sound.sample_rate, sound.channels}, "Desk");
  process(sound.samples, false);
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(SignalMonitorTest, ReportsTheSameWhateverTheBlockSize) {
  std::vector<float> samples(10 * kRate);
  for (std::size_t i = 4 * kRate + 77; i < samples.size(); ++i) samples[i] = 0.1F;
  std::vector<std::vector<std::size_t>> reported;
  for (const std::size_t size : {1U, 160U, 1023U}) {
    monitor_.start({kRate, 1}, "Desk");
    reported.emplace_back();
    for (std::size_t at = 0; at < samples.size(); at += size) {
      monitor_.process(std::span(samples).subspan(at, std::min(size, samples.size() - at)), false);
      while (monitor_.take_fault()) reported.back().push_back(at / 1600);
    }
  }
  EXPECT_THAT(reported.front(), SizeIs(2));
  EXPECT_THAT(reported, ::testing::Each(reported.front()));
}

TEST_F(SignalMonitorTest, BeginsAnewWithEveryStream) {
  play(2, {0});
  start(1);
  play(2, {0});
  EXPECT_THAT(codes_, IsEmpty());
}

}  // namespace
}  // namespace dictum::capture
