#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <optional>

#include "dictum/text.hpp"

namespace dictum {
namespace {

constexpr std::chrono::system_clock::time_point kStarted{std::chrono::milliseconds(1795362301250)};

TEST(ISOTime, IsReadBack) {
  EXPECT_EQ(iso_time(kStarted), "2026-11-22T15:45:01.250Z");
  EXPECT_EQ(parse_iso_time("2026-11-22T15:45:01.250Z"), kStarted);
  EXPECT_EQ(parse_iso_time("2026-11-22T15:45:01Z"), kStarted - std::chrono::milliseconds(250));
}

TEST(ISOTime, IsNothingElse) {
  for (const char* wrong : {"", "2026-11-22", "2026-13-22T15:45:01Z", "2026-02-30T15:45:01Z", "2026-11-22T24:00:00Z",
                            "2026-11-22T15:60:00Z", "2026-11-22 15:45:01Z", "2026-11-22T15:45:01+00:00",
                            "-026-11-22T15:45:01Z", "9999-11-22T15:45:01Z", "1969-11-22T15:45:01Z"}) {
    EXPECT_EQ(parse_iso_time(wrong), std::nullopt) << wrong;
  }
}

TEST(ISOTime, IsADateForEveryTimestamp) {
  EXPECT_EQ(iso_time(time_of(1795362301.25)), "2026-11-22T15:45:01.250Z");
  EXPECT_EQ(iso_time(time_of(-1)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(time_of(std::numeric_limits<double>::quiet_NaN())), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(time_of(1e300)).substr(0, 4), "2128");
}

TEST(ISOTime, IsTheTimestampOfItsMomentAndBack) {
  EXPECT_DOUBLE_EQ(timestamp_of(kStarted), 1795362301.25);
  EXPECT_EQ(time_of(timestamp_of(kStarted)), kStarted);
}

TEST(SizeText, HasOneDigitBehindThePointInUnitsOfAThousand) {
  EXPECT_EQ(size_text(0), "0.0 kB");
  EXPECT_EQ(size_text(999'000), "999.0 kB");
  EXPECT_EQ(size_text(1'234'567), "1.2 MB");
  EXPECT_EQ(size_text(3'250'000'000), "3.2 GB");
}

}  // namespace
}  // namespace dictum
