#include "playback/player.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <numbers>
#include <thread>
#include <vector>

#include "capture/make_microphone.hpp"
#include "capture/tape.hpp"
#include "dictum/error.hpp"
#include "support/virtual_microphone.hpp"

namespace dictum::playback {
namespace {

using namespace std::chrono_literals;

std::vector<float> tone(double seconds) {
  std::vector<float> samples(static_cast<std::size_t>(seconds * 16000));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = 0.5F * static_cast<float>(std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / 16000));
  }
  return samples;
}

class PlayerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    daemon_.emplace();
  }

  std::optional<dictum::test::VirtualMicrophone> daemon_;
};

TEST_F(PlayerTest, IsRecordedByAMicrophone) {
  const auto source = capture::make_microphone("pulse", "", std::make_shared<SystemClock>());
  capture::test::Tape tape(*source);
  tape.open();
  std::thread speaker([] {
    Player player(16000);
    player.play(tone(0.4));
    player.drain();
  });
  EXPECT_TRUE(tape.read_until([&] { return tape.has_sound_after(0.3); }, 3s));
  speaker.join();
  tape.finish();
}

TEST_F(PlayerTest, TakesAsLongAsTheSound) {
  const auto start = std::chrono::steady_clock::now();
  Player player(16000);
  EXPECT_TRUE(player.play(tone(0.5)));
  EXPECT_TRUE(player.drain());
  EXPECT_GE(std::chrono::steady_clock::now() - start, 450ms);
}

TEST_F(PlayerTest, EndsWhereAStopIsRequested) {
  std::stop_source stop;
  std::jthread user([&] {
    const auto microphone = capture::make_microphone("pulse", "", std::make_shared<SystemClock>());
    capture::test::Tape tape(*microphone);
    tape.open();
    tape.read_until([&] { return tape.has_sound_after(0); }, 3s);
    stop.request_stop();
  });
  Player player(16000, stop.get_token());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(player.play(tone(20)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
}

TEST_F(PlayerTest, SaysThatNoServerAnswers) {
  daemon_->kill();
  try {
    Player player(16000);
    FAIL() << "it plays";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::device_lost);
  }
}

TEST_F(PlayerTest, SaysThatTheServerHangs) {
  Player player(16000);
  daemon_->freeze();
  try {
    player.play(tone(20));
    FAIL() << "it plays";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::timed_out);
  }
}

}  // namespace
}  // namespace dictum::playback
