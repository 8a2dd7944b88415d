#include "recorder/preview_schedule.hpp"

#include <gtest/gtest.h>

namespace dictum::recorder {
namespace {

constexpr int kRate = 16000;

TEST(PreviewSchedule, AsksForNothingWhereNothingIsSpoken) {
  PreviewSchedule schedule(kRate);
  EXPECT_FALSE(schedule.is_due(10 * kRate));
}

TEST(PreviewSchedule, AsksFirstAfterASecondOfSpeech) {
  PreviewSchedule schedule(kRate);
  schedule.segment_opened(kRate);
  EXPECT_FALSE(schedule.is_due(2 * kRate - 1));
  EXPECT_TRUE(schedule.is_due(2 * kRate));
}

TEST(PreviewSchedule, AsksAtMostFiveTimesASecond) {
  PreviewSchedule schedule(kRate);
  schedule.segment_opened(0);
  int asked = 0;
  for (Frame now = kRate; now < 2 * kRate; now += kRate / 100) asked += schedule.is_due(now) ? 1 : 0;
  EXPECT_EQ(asked, 5);
}

TEST(PreviewSchedule, StopsWithTheSegment) {
  PreviewSchedule schedule(kRate);
  schedule.segment_opened(0);
  schedule.segment_closed();
  EXPECT_FALSE(schedule.is_due(10 * kRate));
}

}  // namespace
}  // namespace dictum::recorder
