#include "capture/timeline_aligner.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace dictum::capture {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRate = 1000;  // frames a second: one frame is a millisecond
constexpr auto kFragment = 10ms;

/// Deliveries at times that the test chooses, and the timeline that comes of them.
class TimelineAlignerTest : public ::testing::Test {
 protected:
  TimelineAlignerTest() { start(); }

  void start() {
    opened_ = now_;
    aligner_.start({kRate, 1}, opened_);
  }

  /// Frames arrive now, each with the next number as its sample.
  void deliver(Frame frames, Frame dropped = 0, std::optional<GapReason> discontinuity = {}) {
    next_ += static_cast<float>(dropped);
    std::vector<float> samples(static_cast<std::size_t>(frames));
    for (auto& sample : samples) sample = next_++;
    aligner_.push(now_, discontinuity, dropped, samples);
  }

  /// The device delivers on time, and everything is read.
  void run(std::chrono::milliseconds time) {
    for (auto passed = 0ms; passed < time; passed += kFragment) {
      now_ += kFragment;
      deliver(kFragment.count());
      read();
    }
  }

  void lose(std::chrono::milliseconds time) {
    now_ += time;
    next_ += static_cast<float>(time.count());
  }

  void read(bool expects_more = true) {
    std::vector<float> buffer(50);
    for (;;) {
      const Reading reading = aligner_.read(buffer, expects_more);
      received_.insert(received_.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(reading.frames));
      if (const auto* gap = std::get_if<SourceGap>(&reading.then)) add(*gap);
      if (const auto* device = std::get_if<SourceDevice>(&reading.then)) devices_.push_back(device->device);
      if (reading.frames == 0 && reading.then.index() == 0) return;
    }
  }

  void finish(bool is_out = false, GapReason reason = GapReason::stalled) {
    read(false);
    if (const auto gap = aligner_.close_gap(now_, is_out, reason)) add(*gap);
  }

  void add(SourceGap gap) {
    missing_ += gap.frames;
    gaps_.push_back({static_cast<Frame>(received_.size()), gap.frames, gap.reason});
  }

  Frame timeline() const { return static_cast<Frame>(received_.size()) + missing_; }
  Frame elapsed() const { return std::chrono::duration_cast<std::chrono::milliseconds>(now_ - opened_).count(); }

  struct Gap {
    Frame after;  // this many received frames
    Frame frames;
    GapReason reason;
    bool operator==(const Gap&) const = default;
  };

  TimelineAligner aligner_;
  TimelineAligner::TimePoint now_{1h};
  TimelineAligner::TimePoint opened_;
  float next_ = 0;
  std::vector<float> received_;
  Frame missing_ = 0;
  std::vector<Gap> gaps_;
  std::vector<std::string> devices_;
};

TEST_F(TimelineAlignerTest, DeliversEveryFrameInOrder) {
  run(2s);
  finish();
  ASSERT_THAT(received_, SizeIs(::testing::Ge(1990U)));
  for (std::size_t i = 1; i < received_.size(); ++i) ASSERT_EQ(received_[i], received_[i - 1] + 1);
}

TEST_F(TimelineAlignerTest, HoldsTheFirstAudioBackUntilItKnowsWhereTheTimelineBegins) {
  run(290ms);
  EXPECT_THAT(received_, IsEmpty());
  run(20ms);
  EXPECT_EQ(timeline(), 310);
}

TEST_F(TimelineAlignerTest, LeavesOutAudioOfTheTimeBeforeItWasOpened) {
  deliver(500);
  run(1s);
  finish();
  EXPECT_NEAR(static_cast<double>(timeline()), static_cast<double>(elapsed()), 10);
  EXPECT_GE(received_.front(), 490);
}

TEST_F(TimelineAlignerTest, LeavesOutLostFramesOfTheTimeBeforeItWasOpenedToo) {
  deliver(0, 400);
  deliver(100);
  run(1s);
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_NEAR(static_cast<double>(timeline()), static_cast<double>(elapsed()), 10);
}

TEST_F(TimelineAlignerTest, MakesNoGapOfLateAudio) {
  run(1s);
  for (const auto late : {90ms, 200ms, 900ms, 5000ms}) {
    now_ += late;
    deliver(late.count());
    run(1s);
  }
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, MakesNoGapOfAudioThatIsLateAgainAndAgain) {
  run(1s);
  for (int stall = 0; stall < 4; ++stall) {
    now_ += 300ms;
    deliver(150);
    read();
  }
  deliver(600);
  run(2s);
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, MakesAGapOfEachOfTwoStallsInWhichFramesWereLost) {
  run(1s);
  lose(700ms);
  run(200ms);
  lose(300ms);
  run(2s);
  EXPECT_THAT(gaps_, ElementsAre(Gap{1000, 700, GapReason::stalled}, Gap{1200, 300, GapReason::stalled}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, MakesAGapOfWhatNeverArrived) {
  run(1s);
  lose(700ms);
  now_ += 300ms;
  deliver(300);
  run(1s);
  EXPECT_THAT(gaps_, ElementsAre(Gap{1000, 700, GapReason::stalled}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, PlacesDroppedFramesWithoutMeasuring) {
  run(1s);
  now_ += 60ms;
  deliver(10, 50);
  read();
  EXPECT_THAT(gaps_, ElementsAre(Gap{1000, 50, GapReason::overflow}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, CountsDroppedFramesOnceHoweverLongTheDeviceRunsOn) {
  run(5s);
  now_ += 60ms;
  deliver(10, 50);
  run(5s);
  EXPECT_THAT(gaps_, ElementsAre(Gap{5000, 50, GapReason::overflow}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, AddsALossThatIsTooShortForAGapToTheNextOne) {
  run(1s);
  for (int stall = 0; stall < 2; ++stall) {
    lose(6ms);
    now_ += 200ms;
    deliver(10);
    deliver(190);
    run(2s);
  }
  EXPECT_THAT(gaps_, ElementsAre(Gap{3200, 12, GapReason::stalled}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, HandsOutALongDeliveryAtOnceWhereItIsNotLate) {
  run(1s);
  now_ += 300ms;
  deliver(300);
  read();
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, WaitsForLateAudioForASecondAfterAStall) {
  run(1s);
  now_ += 700ms;
  run(600ms);  // late by 700 ms still
  deliver(700);
  run(2s);
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_EQ(timeline(), elapsed());
}

// A process that was stopped for 20 s finds what the ring holds, 12 s, and a count of 8 s.
TEST_F(TimelineAlignerTest, CountsALossOnceWhereTheProcessWasStoppedAndTheRingOverflowed) {
  run(1s);
  now_ += 20s;
  deliver(12'000);
  deliver(0, 8'000);
  run(1s);
  finish();
  EXPECT_THAT(gaps_, ElementsAre(Gap{13'000, 8'000, GapReason::overflow}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, CountsALossOnceWhereTheCountComesWithALaterDelivery) {
  run(1s);
  now_ += 20s;
  deliver(12'000);
  now_ += kFragment;
  deliver(kFragment.count(), 8'000);
  run(1s);
  finish();
  EXPECT_THAT(gaps_, ElementsAre(Gap{13'000, 8'000, GapReason::overflow}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, CountsALossOnceWhereNothingFollowsTheDroppedFrames) {
  run(1s);
  now_ += 20s;
  deliver(12'000);
  deliver(0, 8'000);
  finish(true, GapReason::device_lost);
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, CountsALossOnceWhereTheServerLostAPartAndTheRingAnother) {
  run(1s);
  lose(5s);
  now_ += 20s;
  deliver(12'000);
  deliver(0, 8'000);
  run(1s);
  finish();
  EXPECT_THAT(gaps_, ElementsAre(Gap{1000, 5000, GapReason::stalled}, Gap{13'000, 8'000, GapReason::overflow}));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, StaysWithTheClockHoweverOftenTheProcessIsStopped) {
  run(1s);
  for (int i = 0; i < 20; ++i) {
    now_ += 15s;
    deliver(12'000);
    deliver(0, 3'000);
    run(500ms);
  }
  finish();
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, MeasuresAGapThatTheDriverReports) {
  run(1s);
  lose(50ms);
  now_ += kFragment;
  deliver(kFragment.count(), 0, GapReason::overflow);
  run(1s);
  EXPECT_THAT(gaps_, ElementsAre(Gap{1000, 50, GapReason::overflow}));
}

TEST_F(TimelineAlignerTest, PlacesAnotherStreamBehindTheGapBeforeIt) {
  run(1s);
  lose(2s);
  aligner_.begin_stream(GapReason::device_lost, SourceDevice{"second", "it was chosen"});
  run(1s);
  EXPECT_THAT(gaps_, ElementsAre(Gap{1000, 2000, GapReason::device_lost}));
  EXPECT_THAT(devices_, ElementsAre("second"));
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, HoldsNothingBackWhereNothingMoreIsExpected) {
  run(1s);
  lose(1s);
  now_ += kFragment;
  deliver(kFragment.count());
  read(true);
  EXPECT_EQ(timeline(), 1000);
  read(false);
  EXPECT_EQ(timeline(), elapsed());
}

TEST_F(TimelineAlignerTest, EndsWithTheGapThatIsStillOpen) {
  run(1s);
  lose(3s);
  finish(true, GapReason::suspended);
  EXPECT_THAT(gaps_, ElementsAre(Gap{1000, 3000, GapReason::suspended}));
}

TEST_F(TimelineAlignerTest, EndsWithoutAGapWhereTheAudioMayOnlyBeLate) {
  run(1s);
  now_ += 90ms;
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
}

TEST_F(TimelineAlignerTest, BeginsAnewWhereItIsStartedAgain) {
  run(1s);
  now_ += 1h;
  received_.clear();
  start();
  run(1s);
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_EQ(timeline(), elapsed());
}

}  // namespace
}  // namespace dictum::capture
