#include "vad/silero_batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "dictum/error.hpp"
#include "support/test_data.hpp"
#include "vad/detector.hpp"
#include "vad/embedded_model.hpp"
#include "vad_test_data.hpp"

namespace dictum::vad {
namespace {

using test::noise;
using test::window_of;

constexpr float kTolerance = 1e-4f;

class SileroBatchTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!weights_) GTEST_SKIP() << "the build has no Silero model";
  }
  const std::shared_ptr<const SileroWeights> weights_ = embedded_weights();
};

TEST_F(SileroBatchTest, EqualsTheOfficialModelInEveryBatchSizeAndOnEveryKindOfVectorUnit) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/jfk.wav");
  DICTUM_TEST_DATA_OR_SKIP(text, "vad/jfk.probs.txt");
  const auto samples = test::read_samples(wav);
  const auto expected = test::read_probabilities(text);
  test::on_every_vector_unit([&](const std::string& unit) {
    for (const std::size_t size : {1u, 2u, 3u, 4u, 5u, 16u}) {
      std::vector<SileroVAD> streams(size, SileroVAD(weights_));
      SileroBatch batch(weights_);
      // Each stream joins one call later than the one before, so that no two are at the same window.
      for (std::size_t call = 0; call < expected.size() + size; ++call) {
        std::vector<std::size_t> windows;
        for (std::size_t s = 0; s < size; ++s) {
          if (call < s || call - s >= expected.size()) continue;
          windows.push_back(call - s);
          batch.add(streams[s], window_of(samples, call - s));
        }
        const auto probabilities = batch.run();
        ASSERT_EQ(probabilities.size(), windows.size());
        for (std::size_t i = 0; i < windows.size(); ++i) {
          ASSERT_NEAR(probabilities[i], expected[windows[i]], kTolerance) << unit << ", size " << size;
        }
      }
    }
  });
}

TEST_F(SileroBatchTest, SilenceNoiseAndClippingInOneBatchEqualTheStreamsRunAlone) {
  constexpr std::size_t windows = 40;
  std::vector<std::vector<float>> signals = {noise(windows), std::vector<float>(windows * kVADWindow),
                                             noise(windows, 20.0f), noise(windows, 1e-4f), noise(windows, 0.5f)};
  for (float& sample : signals[2]) sample = std::clamp(sample, -1.0f, 1.0f);
  test::on_every_vector_unit([&](const std::string& unit) {
    std::vector<SileroVAD> together(signals.size(), SileroVAD(weights_));
    std::vector<SileroVAD> alone = together;
    SileroBatch batch(weights_);
    for (std::size_t w = 0; w < windows; ++w) {
      for (std::size_t s = 0; s < signals.size(); ++s) batch.add(together[s], window_of(signals[s], w));
      const auto probabilities = batch.run();
      for (std::size_t s = 0; s < signals.size(); ++s) {
        ASSERT_NEAR(probabilities[s], alone[s].probability(window_of(signals[s], w)), kTolerance) << unit << ' ' << s;
      }
    }
  });
}

TEST_F(SileroBatchTest, AStreamMayLeaveTheBatchAndComeBack) {
  const auto samples = noise(12);
  SileroVAD vad(weights_);
  SileroVAD other(weights_);
  SileroVAD reference(weights_);
  SileroBatch batch(weights_);
  for (std::size_t w = 0; w < 12; ++w) {
    const float expected = reference.probability(window_of(samples, w));
    if (w % 3 == 0) {
      EXPECT_NEAR(vad.probability(window_of(samples, w)), expected, kTolerance);
      continue;
    }
    batch.add(other, window_of(samples, 0));
    batch.add(vad, window_of(samples, w));
    EXPECT_NEAR(batch.run()[1], expected, kTolerance);
  }
}

TEST_F(SileroBatchTest, IsEmptyAfterItRan) {
  const auto samples = noise(1);
  SileroVAD vad(weights_);
  SileroBatch batch(weights_);
  EXPECT_TRUE(batch.run().empty());
  batch.add(vad, window_of(samples, 0));
  EXPECT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch.run().size(), 1u);
  EXPECT_EQ(batch.size(), 0u);
  EXPECT_TRUE(batch.run().empty());
}

TEST_F(SileroBatchTest, RefusesAStreamWithOtherWeights) {
  const auto samples = noise(1);
  SileroVAD stranger(SileroWeights::load(embedded_model()));
  SileroBatch batch(weights_);
  EXPECT_THROW(batch.add(stranger, window_of(samples, 0)), RecorderError);
  EXPECT_EQ(batch.size(), 0u);
}

}  // namespace
}  // namespace dictum::vad
