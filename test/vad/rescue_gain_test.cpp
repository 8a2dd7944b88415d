#include "vad/rescue_gain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <random>
#include <vector>

#include "dictum/config.hpp"
#include "support/test_data.hpp"
#include "vad/detector.hpp"
#include "vad/make_detector.hpp"
#include "vad_test_data.hpp"

namespace dictum::vad {
namespace {

constexpr double kRate = kVADSampleRate;

/// Syllables: four bursts a second of a tone with this RMS, over noise 40 dB below.
std::vector<float> speech(double dbfs, double seconds) {
  std::vector<float> samples(static_cast<std::size_t>(seconds * kRate));
  const double amplitude = std::pow(10, dbfs / 20) * std::numbers::sqrt2;
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, amplitude / 100);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double time = static_cast<double>(i) / kRate;
    const bool is_loud = std::fmod(time, 0.25) < 0.15;
    samples[i] = static_cast<float>((is_loud ? amplitude * std::sin(time * 1200) : 0) + noise(random));
  }
  return samples;
}

std::vector<float> amplified(RescueGain& gain, const std::vector<float>& samples) {
  std::vector<float> out(samples.size());
  gain.process(samples, out);
  return out;
}

TEST(RescueGain, LeavesSpeechAsItIsWhereItIsLoudEnough) {
  for (const double dbfs : {-10.0, -35.0, -58.0}) {
    RescueGain gain;
    const auto samples = speech(dbfs, 5);
    EXPECT_EQ(amplified(gain, samples), samples) << dbfs << " dBFS";
  }
}

TEST(RescueGain, RaisesQuietSpeechToMinus60dBFS) {
  RescueGain gain;
  amplified(gain, speech(-76, 10));
  EXPECT_NEAR(gain.gain_db(), 16, 1.5);
}

TEST(RescueGain, IsNeverMoreThan40dB) {
  RescueGain gain;
  amplified(gain, speech(-99, 20));
  EXPECT_LE(gain.gain_db(), 40);
  EXPECT_GT(gain.gain_db(), 30);
}

TEST(RescueGain, RisesBy12AndFallsBy40dBASecond) {
  RescueGain gain;
  amplified(gain, speech(-90, 2.99));
  EXPECT_EQ(gain.gain_db(), 0) << "a recording of usual level may begin with silence";
  amplified(gain, speech(-90, 1));
  const double first = gain.gain_db();
  EXPECT_LE(first, 12.01);
  amplified(gain, speech(-90, 1));
  EXPECT_LE(gain.gain_db(), first + 12.01);
  EXPECT_GT(gain.gain_db(), first + 6);
  amplified(gain, speech(-90, 4));
  const double before = gain.gain_db();
  ASSERT_GT(before, 24);
  amplified(gain, speech(-20, 0.25));
  EXPECT_NEAR(gain.gain_db(), before - 10, 1.0);
  amplified(gain, speech(-20, 1));
  EXPECT_EQ(gain.gain_db(), 0);
}

TEST(RescueGain, LeavesAPauseOfAFewSecondsAfterSpeechOfUsualLevelAlone) {
  RescueGain gain;
  amplified(gain, speech(-30, 2));
  const auto quiet = speech(-76, 9);
  EXPECT_EQ(amplified(gain, quiet), quiet);
}

TEST(RescueGain, DoesNotRaiseNoise) {
  RescueGain gain;
  std::vector<float> noise(static_cast<std::size_t>(10 * kRate));
  std::mt19937 random(1);
  std::normal_distribution<float> distribution(0, 1e-4F);
  std::ranges::generate(noise, [&] { return distribution(random); });
  EXPECT_EQ(amplified(gain, noise), noise);
}

TEST(RescueGain, TakesDigitalSilenceForNoNoise) {
  RescueGain gain;
  amplified(gain, std::vector<float>(16000, 0.0F));
  std::vector<float> noise(static_cast<std::size_t>(2 * kRate));
  std::mt19937 random(1);
  std::normal_distribution<float> distribution(0, 1e-4F);
  std::ranges::generate(noise, [&] { return distribution(random); });
  amplified(gain, noise);
  EXPECT_EQ(gain.gain_db(), 0);
}

TEST(RescueGain, IsAFunctionOfTheSamplesAlone) {
  const auto samples = speech(-76, 4);
  RescueGain at_once;
  const auto expected = amplified(at_once, samples);
  RescueGain in_pieces;
  std::vector<float> out(samples.size());
  for (std::size_t at = 0; at < samples.size(); at += 77) {
    const std::size_t count = std::min<std::size_t>(77, samples.size() - at);
    in_pieces.process(std::span(samples).subspan(at, count), std::span(out).subspan(at, count));
  }
  EXPECT_EQ(out, expected);
}

TEST(RescueGain, OutlivesSamplesThatAreNoNumbers) {
  RescueGain gain;
  amplified(gain, std::vector<float>(1600, std::numeric_limits<float>::quiet_NaN()));
  amplified(gain, std::vector<float>(1600, std::numeric_limits<float>::infinity()));
  amplified(gain, speech(-76, 10));
  EXPECT_NEAR(gain.gain_db(), 16, 1.5);
}

TEST(RescueGain, StartsAfreshWithTheStream) {
  RescueGain gain;
  amplified(gain, speech(-76, 5));
  gain.reset();
  EXPECT_EQ(gain.gain_db(), 0);
}

/// Speech and silence in real recordings, through Silero.
class RescuedSpeech : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!embedded_weights()) GTEST_SKIP() << "the build has no Silero model";
    const auto found = dictum::test::test_data(std::string("audio/") + GetParam());
    if (!found) GTEST_SKIP() << "test data not found: audio/" << GetParam();
    samples_ = test::read_samples(*found);
  }

  /// Which windows are speech.
  static std::vector<bool> detect(const std::vector<float>& samples, bool rescue_gain) {
    RecorderConfig config;
    config.vad.rescue_gain = rescue_gain;
    const auto detector = make_detector(config).first;
    std::vector<bool> is_speech;
    for (std::size_t i = 0; (i + 1) * kVADWindow <= samples.size(); ++i)
      is_speech.push_back(detector->probability(test::window_of(samples, i)) >= 0.5F);
    return is_speech;
  }

  /// The recording with its speech at that level, as a microphone of 24 bits delivers it.
  std::vector<float> at_level(double dbfs) const {
    const auto is_speech = detect(samples_, false);
    double energy = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < is_speech.size(); ++i) {
      if (!is_speech[i]) continue;
      for (const float sample : test::window_of(samples_, i)) energy += static_cast<double>(sample) * sample;
      count += kVADWindow;
    }
    const double level = std::sqrt(energy / static_cast<double>(count));
    const auto scale = static_cast<float>(std::pow(10, dbfs / 20) / level);
    std::vector<float> scaled = samples_;
    for (float& sample : scaled) sample *= scale;
    return scaled;
  }

  /// The share of the recording's speech that is found in `samples`, once the gain has had 5 s to rise.
  double coverage(const std::vector<float>& samples, bool rescue_gain) const {
    constexpr std::size_t kRisen = 5 * kVADSampleRate / kVADWindow;
    const auto expected = detect(samples_, false);
    const auto found = detect(samples, rescue_gain);
    double both = 0;
    double all = 0;
    for (std::size_t i = kRisen; i < expected.size(); ++i) {
      both += expected[i] && found[i] ? 1 : 0;
      all += expected[i] ? 1 : 0;
    }
    return both / all;
  }

  std::vector<float> samples_;
};

TEST_P(RescuedSpeech, OfUsualLevelIsDetectedAsWithoutTheGain) {
  EXPECT_EQ(detect(samples_, true), detect(samples_, false));
}

TEST_P(RescuedSpeech, OfMinus76dBFSIsDetected) {
  const auto quiet = at_level(-76);
  EXPECT_LT(coverage(quiet, false), coverage(quiet, true));
  EXPECT_GE(coverage(quiet, true), 0.8);
  RecordProperty("without", std::to_string(coverage(quiet, false)));
  RecordProperty("with", std::to_string(coverage(quiet, true)));
}

INSTANTIATE_TEST_SUITE_P(Recordings, RescuedSpeech,
                         testing::Values("jfk.wav", "conversation.wav", "radio.wav", "librivox/0870.wav"),
                         [](const auto& test) { return "Recording" + std::to_string(test.index); });

}  // namespace
}  // namespace dictum::vad
