#include "capture/capture_ring.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace dictum::capture {
namespace {

constexpr AudioFormat kFormat{1000, 2};
constexpr std::size_t kRoom = 12'000;  // frames: 12 s

class CaptureRingTest : public ::testing::Test {
 protected:
  /// Pushes frames whose samples count on from the ones before, dropped ones included.
  void push(std::size_t frames) {
    std::vector<float> block(frames * 2);
    for (auto& sample : block) sample = next_++;
    ring_.push(block.data(), frames);
  }

  Delivery take() {
    Delivery delivery;
    EXPECT_TRUE(ring_.take(delivery));
    return delivery;
  }

  bool has_more() {
    Delivery delivery;
    return ring_.take(delivery);
  }

  std::vector<float> pop(std::size_t frames) {
    std::vector<float> samples(frames * 2);
    samples.resize(ring_.pop(samples));
    return samples;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(std::chrono::system_clock::time_point{});
  CaptureRing ring_{kFormat, clock_};
  float next_ = 0;
};

TEST_F(CaptureRingTest, KeepsWhatWasPushedAndWhen) {
  clock_->advance(std::chrono::milliseconds(7));
  push(2);
  const Delivery delivery = take();
  EXPECT_EQ(delivery.frames, 2U);
  EXPECT_EQ(delivery.dropped, 0U);
  EXPECT_EQ(delivery.arrived, clock_->steady_now());
  EXPECT_THAT(pop(2), ::testing::ElementsAre(0, 1, 2, 3));
}

TEST_F(CaptureRingTest, HoldsTwelveSeconds) {
  push(kRoom);
  EXPECT_EQ(take().frames, kRoom);
  EXPECT_FALSE(has_more());
}

TEST_F(CaptureRingTest, ReportsWhereFramesWereDroppedAndHowMany) {
  push(kRoom - 10);
  push(30);  // of which 20 find no room
  push(5);   // none
  EXPECT_EQ(take().frames, kRoom - 10);
  pop(kRoom - 10);
  push(4);
  const Delivery cut = take();
  EXPECT_EQ(cut.frames, 10U);
  EXPECT_EQ(cut.dropped, 0U);
  EXPECT_EQ(pop(10).back(), static_cast<float>(2 * kRoom - 1));
  const Delivery after = take();
  EXPECT_EQ(after.dropped, 25U);
  EXPECT_EQ(after.frames, 4U);
  EXPECT_EQ(pop(4).front(), static_cast<float>(2 * (kRoom + 25)));
}

TEST_F(CaptureRingTest, CountsAHoleOfTheDriverAsDropped) {
  push(3);
  ring_.push(nullptr, 7);
  push(3);
  EXPECT_EQ(take().dropped, 0U);
  EXPECT_EQ(take().dropped, 7U);
}

TEST_F(CaptureRingTest, ReportsFramesThatWereDroppedAtTheVeryEndOnce) {
  push(kRoom + 9);
  take();
  clock_->advance(std::chrono::milliseconds(7));
  const Delivery end = take();
  EXPECT_EQ(end.dropped, 9U);
  EXPECT_EQ(end.frames, 0U);
  EXPECT_EQ(end.arrived, clock_->steady_now());
  EXPECT_FALSE(has_more());
}

TEST_F(CaptureRingTest, ReportsDroppedFramesOnceWhereADeliveryFollowsTheirReport) {
  push(kRoom + 9);
  take();
  EXPECT_EQ(take().dropped, 9U);
  pop(kRoom);
  push(1);
  EXPECT_EQ(take().dropped, 0U);
}

TEST_F(CaptureRingTest, HasNoAudioBeforeRealSamples) {
  ring_.push(nullptr, 7);
  EXPECT_FALSE(ring_.has_audio());
  push(1);
  EXPECT_TRUE(ring_.has_audio());
}

TEST_F(CaptureRingTest, MarksOneDeliveryOnly) {
  ring_.mark(GapReason::suspended);
  push(1);
  push(1);
  EXPECT_EQ(take().discontinuity, GapReason::suspended);
  EXPECT_EQ(take().discontinuity, std::nullopt);
}

TEST_F(CaptureRingTest, CountsDroppedFramesWhereItHasNoSpaceForTheDelivery) {
  constexpr std::size_t kPushes = 9'000;  // of one frame each: more than there is room for
  for (std::size_t i = 0; i < kPushes; ++i) push(1);
  std::size_t seen = 0;
  for (Delivery delivery; ring_.take(delivery);) seen += delivery.dropped + delivery.frames;
  EXPECT_EQ(seen, kPushes);
}

TEST(CaptureRing, PlacesEveryFrameBetweenTwoThreads) {
  constexpr std::size_t kFrames = 400'000;
  constexpr std::size_t kBlock = 160;
  CaptureRing ring({100, 1}, std::make_shared<SystemClock>());  // 1200 frames: it overflows at once
  std::atomic<bool> done{false};
  std::thread device([&] {
    std::vector<float> block(kBlock);
    for (std::size_t at = 0; at < kFrames; at += kBlock) {
      std::iota(block.begin(), block.end(), static_cast<float>(at));
      ring.push(block.data(), kBlock);
    }
    done = true;
  });
  std::size_t position = 0;
  bool in_place = true;
  std::vector<float> samples(kBlock);
  for (bool last = false; !last;) {
    last = done;
    for (Delivery delivery; ring.take(delivery);) {
      position += delivery.dropped;
      ASSERT_EQ(ring.pop(std::span(samples).first(delivery.frames)), delivery.frames);
      for (std::size_t i = 0; i < delivery.frames; ++i) {
        in_place = in_place && samples[i] == static_cast<float>(position++);
      }
    }
  }
  device.join();
  EXPECT_TRUE(in_place);
  EXPECT_EQ(position, kFrames);
}

}  // namespace
}  // namespace dictum::capture
