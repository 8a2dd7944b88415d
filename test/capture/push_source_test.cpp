#include "dictum/push_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#include "dictum/error.hpp"

namespace dictum {
namespace {

using std::chrono::milliseconds;

constexpr AudioFormat kMono{.sample_rate = 8000, .channels = 1};

constexpr float kUnit = 0x1p-24F;  // so that what a test counts stays within -1 to 1, and exact

std::vector<float> counting(int begin, int end) {
  std::vector<float> samples(static_cast<std::size_t>(end - begin));
  std::iota(samples.begin(), samples.end(), static_cast<float>(begin));
  for (float& sample : samples) sample *= kUnit;
  return samples;
}

// What a recorder makes of the stream: every frame that was received, and -1 for every frame of a gap.
struct Timeline {
  std::vector<float> frames;
  bool ended = false;

  void read(AudioSource& source, std::size_t buffer_frames = 100) {
    std::vector<float> buffer(buffer_frames);
    for (;;) {
      const Reading reading = source.read(buffer);
      frames.insert(frames.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(reading.frames));
      if (const auto* gap = std::get_if<SourceGap>(&reading.then)) {
        EXPECT_EQ(gap->reason, GapReason::overflow);
        frames.insert(frames.end(), static_cast<std::size_t>(gap->frames), -1.0F);
      } else if (std::holds_alternative<SourceEnd>(reading.then)) {
        ended = true;
        return;
      } else if (reading.frames == 0) {
        return;
      }
    }
  }
};

TEST(PushSource, DeliversWhatWasPushedAndEndsWhenItIsFinished) {
  PushSource push(kMono);
  const auto source = push.source_factory()();
  EXPECT_EQ(source->open(), kMono);
  Timeline timeline;
  EXPECT_EQ(push.push(counting(0, 250)), 250U);
  timeline.read(*source);
  EXPECT_FALSE(timeline.ended);
  push.push(counting(250, 300));
  push.finish();
  EXPECT_EQ(push.push(counting(0, 10)), 0U) << "after finish";
  timeline.read(*source);
  EXPECT_TRUE(timeline.ended);
  EXPECT_EQ(timeline.frames, counting(0, 300));
}

TEST(PushSource, ScalesIntegersThatArePushedAsFloatAndReportsItOnce) {
  PushSource push(kMono);
  const auto source = push.source_factory()();
  source->open();
  push.push(std::vector<float>{0, 16384, -32768, 1, 2, 3, 4, 5, 6, 7});
  push.finish();
  std::vector<float> buffer(100);
  const Reading first = source->read(buffer);
  ASSERT_EQ(first.frames, 10U);
  EXPECT_EQ(buffer[1], 0.5F);
  EXPECT_EQ(buffer[2], -1);
  ASSERT_TRUE(std::holds_alternative<SourceFault>(first.then));
  EXPECT_EQ(std::get<SourceFault>(first.then).code, "samples_scaled");
  EXPECT_TRUE(std::holds_alternative<SourceEnd>(source->read(buffer).then));
}

TEST(PushSource, TakesSixteenBitSamplesExactly) {
  PushSource push({.sample_rate = 8000, .channels = 2});
  const auto source = push.source_factory()();
  source->open();
  std::vector<std::int16_t> samples(2000);
  std::iota(samples.begin(), samples.end(), std::int16_t{-1000});
  EXPECT_EQ(push.push(samples), 1000U);
  std::vector<float> received(2000);
  EXPECT_EQ(source->read(received).frames, 1000U);
  for (std::size_t i = 0; i < 2000; ++i) ASSERT_EQ(received[i], static_cast<float>(samples[i]) / 32768);
}

TEST(PushSource, WhatDoesNotFitBecomesAGapInItsPlace) {
  PushSource push(kMono, milliseconds(100));  // 800 frames
  const auto source = push.source_factory()();
  source->open();
  Timeline timeline;
  EXPECT_EQ(push.push(counting(0, 1000)), 800U);
  EXPECT_EQ(push.push(counting(1000, 1300)), 0U);
  timeline.read(*source);
  EXPECT_EQ(push.push(counting(1300, 1400)), 100U);
  timeline.read(*source);

  auto expected = counting(0, 800);
  expected.resize(1300, -1.0F);
  const auto rest = counting(1300, 1400);
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(timeline.frames, expected);
}

TEST(PushSource, AGapAtTheVeryEndIsReported) {
  PushSource push(kMono, milliseconds(100));
  const auto source = push.source_factory()();
  source->open();
  push.push(counting(0, 1000));
  push.finish();
  Timeline timeline;
  timeline.read(*source);
  EXPECT_TRUE(timeline.ended);
  auto expected = counting(0, 800);
  expected.resize(1000, -1.0F);
  EXPECT_EQ(timeline.frames, expected);
}

TEST(PushSource, MoreGapsThanItCanDistinguishAreStillCountedToTheFrame) {
  PushSource push(kMono, milliseconds(100));
  const auto source = push.source_factory()();
  source->open();
  Timeline timeline;
  int pushed = 0;
  std::vector<float> one(1);
  for (int i = 0; i < 1000; ++i) {
    push.push(counting(pushed, pushed + 805));
    pushed += 805;
    const Reading reading = source->read(one);  // makes room for a single frame
    timeline.frames.insert(timeline.frames.end(), one.begin(),
                           one.begin() + static_cast<std::ptrdiff_t>(reading.frames));
    if (const auto* gap = std::get_if<SourceGap>(&reading.then)) {
      timeline.frames.resize(timeline.frames.size() + static_cast<std::size_t>(gap->frames), -1.0F);
    }
  }
  push.finish();
  timeline.read(*source);
  ASSERT_EQ(timeline.frames.size(), static_cast<std::size_t>(pushed));
  for (std::size_t i = 0; i < timeline.frames.size(); ++i) {
    if (timeline.frames[i] >= 0) {
      ASSERT_EQ(timeline.frames[i], kUnit * static_cast<float>(i)) << "a frame stands in a wrong place";
    }
  }
}

TEST(PushSource, NothingIsKeptWhileNobodyListens) {
  PushSource push(kMono, milliseconds(100));
  EXPECT_EQ(push.push(counting(0, 2000)), 0U);
  const auto source = push.source_factory()();
  source->open();
  push.push(counting(0, 700));
  push.push(counting(0, 200));  // 100 of them overflow
  source->close();              // a pause: the rest of the buffer, and what comes now, is dropped
  EXPECT_EQ(push.push(counting(0, 50)), 0U);
  source->open();
  EXPECT_EQ(push.push(counting(7, 17)), 10U);
  Timeline timeline;
  timeline.read(*source);
  EXPECT_EQ(timeline.frames, counting(7, 17));
}

TEST(PushSource, OneRecordingAtATimeListens) {
  PushSource push(kMono);
  const auto factory = push.source_factory();
  const auto first = factory();
  first->open();
  const auto second = factory();
  try {
    second->open();
    FAIL() << "two listen";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::device_busy);
  }
  second->close();  // does not take the first one's place
  EXPECT_EQ(push.push(counting(0, 10)), 10U);
  first->close();
  second->open();
}

TEST(PushSource, ADestroyedRecordingMakesRoomForTheNext) {
  PushSource push(kMono);
  const auto factory = push.source_factory();
  factory()->open();
  factory()->open();
}

TEST(PushSource, EndsWhenTheLastHandleIsGone) {
  std::optional<PushSource> push(kMono);
  auto copy = push;
  const auto source = push->source_factory()();
  source->open();
  push->push(counting(0, 10));
  push.reset();
  Timeline timeline;
  timeline.read(*source);
  EXPECT_FALSE(timeline.ended) << "a copy is left";
  copy.reset();
  timeline.read(*source);
  EXPECT_TRUE(timeline.ended);
  EXPECT_EQ(timeline.frames, counting(0, 10));
}

TEST(PushSource, ReportsItsFreeSpace) {
  PushSource push(kMono, milliseconds(100));
  const auto source = push.source_factory()();
  source->open();
  EXPECT_EQ(push.room(), 800U);
  push.push(counting(0, 300));
  EXPECT_EQ(push.room(), 500U);
}

TEST(PushSource, RefusesWhatCannotBe) {
  EXPECT_THROW(PushSource({.sample_rate = 0, .channels = 1}), RecorderError);
  EXPECT_THROW(PushSource({.sample_rate = 48000, .channels = 0}), RecorderError);
  EXPECT_THROW(PushSource(kMono, milliseconds(1)), RecorderError);
  EXPECT_THROW(PushSource(kMono, std::chrono::hours(24)), RecorderError);
  PushSource stereo({.sample_rate = 48000, .channels = 2});
  EXPECT_THROW(stereo.push(std::vector<float>(3)), RecorderError);
}

TEST(PushSource, EveryFrameHasItsPlaceUnderTwoThreads) {
  PushSource push(kMono, milliseconds(100));
  const auto source = push.source_factory()();
  source->open();
  constexpr int kFrames = 500'000;  // a float counts them exactly
  std::thread producer([push]() mutable {
    for (int at = 0; at < kFrames; at += 125) push.push(counting(at, at + 125));
    push.finish();
  });
  Timeline timeline;
  while (!timeline.ended) timeline.read(*source, 333);
  producer.join();
  ASSERT_EQ(timeline.frames.size(), static_cast<std::size_t>(kFrames));
  for (std::size_t i = 0; i < timeline.frames.size(); ++i) {
    if (timeline.frames[i] >= 0) {
      ASSERT_EQ(timeline.frames[i], kUnit * static_cast<float>(i));
    }
  }
}

TEST(PushSource, ClosingAndOpeningWhileAnotherThreadPushesLeavesTheFramesInOrder) {
  PushSource push(kMono, milliseconds(100));
  const auto source = push.source_factory()();
  std::thread producer([push]() mutable {
    for (int at = 0; at < 500'000; at += 125) push.push(counting(at, at + 125));
    push.finish();
  });
  Timeline timeline;
  while (!timeline.ended) {
    source->open();
    for (int i = 0; i < 5 && !timeline.ended; ++i) timeline.read(*source);
    source->close();
  }
  producer.join();
  float last = -1;
  for (const float frame : timeline.frames) {
    if (frame < 0) continue;
    ASSERT_GT(frame, last);
    last = frame;
  }
}

}  // namespace
}  // namespace dictum
