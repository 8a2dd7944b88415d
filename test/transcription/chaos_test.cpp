#include "chaos.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "processes.hpp"

namespace dictum::transcription {
namespace {

TEST(Chaos, LosesNoSegmentWhateverTheWorkersDo) {
  ChaosSettings settings;
  if (std::getenv("DICTUM_LONG_TESTS") == nullptr) settings.segments = 200;
  if (kSanitized) settings.deadline *= 5;  // an attempt that behaves may take that long there
  const ChaosReport report = run_chaos(settings);
  EXPECT_EQ(report.outcomes, settings.segments);
  EXPECT_EQ(report.doubled, 0);
  EXPECT_EQ(report.foreign_text, 0);
  EXPECT_GE(static_cast<double>(report.own_text), 0.95 * settings.segments);
  EXPECT_EQ(report.wrong_reasons, 0) << testing::PrintToString(report.failures);
  EXPECT_GT(report.kills, 0);
  EXPECT_EQ(report.left_behind, 0);
  if (!kSanitized) {
    EXPECT_LT(report.memory_growth, 4 << 20);
  }
}

}  // namespace
}  // namespace dictum::transcription
