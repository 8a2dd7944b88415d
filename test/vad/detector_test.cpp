#include "vad/detector.hpp"

#include <gtest/gtest.h>

#include "dictum/error.hpp"

namespace dictum::vad {
namespace {

TEST(Detector, SileroWithoutWeightsFallsBackToEnergyAndSaysSo) {
  const auto made = make_detector("silero", nullptr);
  EXPECT_EQ(made.detector->name(), "energy");
  EXPECT_TRUE(made.fell_back_to_energy);
}

TEST(Detector, EnergyThatWasAskedForIsNoFallback) {
  const auto made = make_detector("energy", nullptr);
  EXPECT_EQ(made.detector->name(), "energy");
  EXPECT_FALSE(made.fell_back_to_energy);
}

TEST(Detector, SileroRunsOnTheEmbeddedWeights) {
  auto weights = embedded_weights();
  if (!weights) GTEST_SKIP() << "the build has no Silero model";
  const auto made = make_detector("silero", std::move(weights));
  EXPECT_EQ(made.detector->name(), "silero");
  EXPECT_FALSE(made.fell_back_to_energy);
}

TEST(Detector, WeightsAreSharedByAllThatHoldThemAtATime) {
  const auto weights = embedded_weights();
  if (!weights) GTEST_SKIP() << "the build has no Silero model";
  EXPECT_EQ(embedded_weights(), weights);
}

TEST(Detector, AnUnknownNameIsRefused) {
  EXPECT_THROW(make_detector("webrtc", nullptr), RecorderError);
}

}  // namespace
}  // namespace dictum::vad
