#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "live/live_recording.hpp"
#include "support/sounds.hpp"
#include "support/virtual_microphone.hpp"

namespace dictum::test {

inline constexpr int kNoiseRate = 48000;

/// Detects no speech, and blocks on request.
class BlockingDetector final : public VoiceActivityDetector {
 public:
  explicit BlockingDetector(std::shared_ptr<std::atomic<std::chrono::milliseconds>> pause) : pause_(std::move(pause)) {}

  float probability(std::span<const float, kVADWindow>) override {
    std::this_thread::sleep_for(pause_->exchange(std::chrono::milliseconds(0)));
    return 0;
  }
  void reset() override {}
  std::string_view name() const override { return "blocking"; }

 private:
  const std::shared_ptr<std::atomic<std::chrono::milliseconds>> pause_;
};

/// A recording of noise that never repeats: every sample says where in the file it comes from.
class NoiseRecording : public testing::Test {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    daemon_.emplace();
    live_.emplace("pulse", [this](RecorderConfig& config) {
      config.detector = [pause = pause_] { return std::make_unique<BlockingDetector>(pause); };
    });
  }

  /// Begins to record noise; returns once it arrives.
  void play_noise(std::chrono::seconds length) {
    std::mt19937 dice(1);
    Sound sound{.sample_rate = kNoiseRate, .channels = 1, .samples = {}};
    for (std::int64_t i = 0; i < length.count() * kNoiseRate; ++i) {
      noise_.push_back(static_cast<std::int16_t>(static_cast<int>(dice() % 8192) - 4096));
      sound.samples.push_back(static_cast<float>(noise_.back()) / 32768);
    }
    write_wav(folder_ / "noise.wav", sound);
    live_->start();
    daemon_->play(folder_ / "noise.wav");
    ASSERT_TRUE(live_->wait_for_sound(true, std::chrono::seconds(5)));
  }

  /// Plays to the end and stops; the timeline is then noise from `offset_` on.
  void finish() {
    ASSERT_TRUE(daemon_->wait_until_played(std::chrono::seconds(700)));
    ASSERT_TRUE(live_->wait_for_sound(false, std::chrono::seconds(30)));
    live_->stop();
    EXPECT_THAT(live_->differences(), testing::IsEmpty());
    const auto& received = live_->received().timeline;
    const auto start = std::ranges::search(received, std::span(noise_).first(100)).begin();
    ASSERT_NE(start, received.end());
    offset_ = static_cast<std::size_t>(start - received.begin());
    ASSERT_LE(offset_ + noise_.size(), received.size());
  }

  /// Samples outside of gaps that are not the ones that were played at that place.
  std::size_t wrong_samples() const {
    const auto& received = live_->received();
    std::size_t wrong = 0;
    auto gap = received.gaps.begin();
    for (std::size_t i = 0; i < noise_.size(); ++i) {
      const auto frame = static_cast<Frame>(offset_ + i);
      while (gap != received.gaps.end() && gap->start_frame + gap->frames <= frame) ++gap;
      if (gap != received.gaps.end() && frame >= gap->start_frame) continue;
      if (received.timeline[offset_ + i] != noise_[i]) ++wrong;
    }
    return wrong;
  }

  TemporaryDirectory folder_;
  std::shared_ptr<std::atomic<std::chrono::milliseconds>> pause_ =
      std::make_shared<std::atomic<std::chrono::milliseconds>>(std::chrono::milliseconds(0));
  std::optional<VirtualMicrophone> daemon_;
  std::optional<LiveRecording> live_;
  std::vector<std::int16_t> noise_;
  std::size_t offset_ = 0;
};

}  // namespace dictum::test
