#include "vad/energy_vad.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/test_data.hpp"
#include "vad_test_data.hpp"

namespace dictum::vad {
namespace {

std::vector<float> probabilities(EnergyVAD& vad, const std::vector<float>& samples) {
  std::vector<float> values;
  for (std::size_t at = 0; at + kVADWindow <= samples.size(); at += kVADWindow) {
    values.push_back(vad.probability(std::span(samples).subspan(at).first<kVADWindow>()));
  }
  return values;
}

TEST(EnergyVAD, FindsThePhrasesOfARecording) {
  DICTUM_TEST_DATA_OR_SKIP(wav, "audio/jfk.wav");
  const auto samples = test::read_samples(wav);
  EnergyVAD vad;
  const auto found = test::segments(test::default_settings(), probabilities(vad, samples), test::energies(samples),
                                    static_cast<Frame>(samples.size()));
  ASSERT_EQ(found.size(), 3u);
  const double expected[][2] = {{0.352, 2.240}, {3.296, 4.416}, {5.408, 10.976}};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(static_cast<double>(found[i].speech_start) / 16000, expected[i][0], 0.3) << i;
    EXPECT_NEAR(static_cast<double>(found[i].speech_end) / 16000, expected[i][1], 0.3) << i;
  }
}

TEST(EnergyVAD, DigitalSilenceIsNoSpeech) {
  EnergyVAD vad;
  for (const float probability : probabilities(vad, std::vector<float>(100 * kVADWindow)))
    EXPECT_LT(probability, 0.35f);
}

TEST(EnergyVAD, SteadyNoiseBecomesBackground) {
  EnergyVAD vad;
  const auto values = probabilities(vad, test::noise(1000, 0.05f));
  for (std::size_t i = 800; i < values.size(); ++i) EXPECT_LT(values[i], 0.35f) << i;
}

TEST(EnergyVAD, SpeechLevelAboveLoudNoiseIsFound) {
  EnergyVAD vad;
  probabilities(vad, test::noise(1000, 0.02f));
  for (const float probability : probabilities(vad, test::noise(20, 0.3f))) EXPECT_GE(probability, 0.5f);
}

TEST(EnergyVAD, ResetForgetsTheBackground) {
  EnergyVAD vad;
  const auto first = probabilities(vad, test::noise(10, 0.05f));
  vad.reset();
  EXPECT_EQ(probabilities(vad, test::noise(10, 0.05f)), first);
}

TEST(EnergyVAD, SamplesThatAreNotFiniteDoNotStay) {
  EnergyVAD vad;
  probabilities(vad, std::vector<float>(kVADWindow, std::numeric_limits<float>::quiet_NaN()));
  probabilities(vad, std::vector<float>(kVADWindow, std::numeric_limits<float>::max()));
  for (const float probability : probabilities(vad, std::vector<float>(kVADWindow)))
    EXPECT_TRUE(std::isfinite(probability));
}

}  // namespace
}  // namespace dictum::vad
