#include "audio/resampler.hpp"

#include <gtest/gtest.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <tuple>
#include <vector>

#include "dictum/error.hpp"

namespace dictum::audio {
namespace {

std::vector<float> resampled(const std::vector<float>& in, int from, int to = 16000) {
  Resampler resampler(from, to);
  std::vector<float> out;
  resampler.process(in, out);
  resampler.flush(out);
  return out;
}

std::vector<float> sine(double hertz, int rate, std::size_t samples) {
  std::vector<float> result(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    result[i] = static_cast<float>(std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  }
  return result;
}

std::vector<float> noise(std::size_t samples) {
  std::minstd_rand engine(7);
  std::uniform_real_distribution<float> sample(-1.0F, 1.0F);
  std::vector<float> result(samples);
  std::ranges::generate(result, [&] { return sample(engine); });
  return result;
}

// Root mean square of the middle, away from where the sound begins and ends.
double rms(const std::vector<float>& samples) {
  double sum = 0;
  const std::size_t edge = samples.size() / 4;
  for (std::size_t i = edge; i < samples.size() - edge; ++i) sum += double{samples[i]} * samples[i];
  return std::sqrt(sum / static_cast<double>(samples.size() - 2 * edge));
}

double decibels(double ratio) {
  return 20 * std::log10(std::max(ratio, 1e-12));
}

// The rates that devices have, and some that nobody has: coprime ones take the interpolated filter.
const int kRates[] = {8000, 11025, 12000, 22050, 32000, 44100, 48000, 96000, 192000, 768000, 15999, 44101, 767999};

class ResamplerAtEveryRate : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Rates, ResamplerAtEveryRate, testing::ValuesIn(kRates));

TEST_P(ResamplerAtEveryRate, OutputsDoNotDependOnTheBlocks) {
  const auto in = noise(static_cast<std::size_t>(GetParam()) / 5);
  const auto whole = resampled(in, GetParam());
  for (const std::size_t block : {std::size_t{1}, std::size_t{160}, std::size_t{441}, std::size_t{4800}}) {
    Resampler resampler(GetParam());
    std::vector<float> out;
    for (std::size_t at = 0; at < in.size(); at += block) {
      resampler.process(std::span(in).subspan(at, std::min(block, in.size() - at)), out);
    }
    resampler.flush(out);
    ASSERT_EQ(out, whole) << "in blocks of " << block;
  }
}

TEST_P(ResamplerAtEveryRate, GivesTheOutputsThatStandBeforeTheEndOfTheInput) {
  const int rate = GetParam();
  for (const std::size_t samples : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
    const auto expected = (samples * 16000 + static_cast<std::size_t>(rate) - 1) / static_cast<std::size_t>(rate);
    EXPECT_EQ(resampled(std::vector<float>(samples), rate).size(), expected) << samples;
  }
}

TEST_P(ResamplerAtEveryRate, PassesSpeechUnchangedAndInItsPlace) {
  const int rate = GetParam();
  const double lower = std::min(rate, 16000);
  for (const double hertz : {0.02 * lower, 0.1 * lower, 0.25 * lower, 0.35 * lower}) {
    const auto out = resampled(sine(hertz, rate, static_cast<std::size_t>(rate) / 4), rate);
    const auto ideal = sine(hertz, 16000, out.size());
    std::vector<float> error(out.size());
    std::ranges::transform(out, ideal, error.begin(), std::minus());
    // A shift by a microsecond, or a change of level by 0.1 dB, at 5.6 kHz would be an error of -29 dB or more.
    EXPECT_LT(decibels(rms(error) / rms(ideal)), -38) << hertz << " Hz";
  }
}

TEST_P(ResamplerAtEveryRate, RejectsWhatTheLowerRateCannotHold) {
  const int rate = GetParam();
  if (rate <= 16000) {
    // The images of a tone: all that differs from the tone itself.
    const double hertz = 0.25 * rate;
    const auto out = resampled(sine(hertz, rate, static_cast<std::size_t>(rate) / 4), rate);
    double dot = 0;
    double norm = 0;
    const auto tone = sine(hertz, 16000, out.size());
    for (std::size_t i = out.size() / 4; i < out.size() * 3 / 4; ++i) {
      dot += double{out[i]} * tone[i];
      norm += double{tone[i]} * tone[i];
    }
    std::vector<float> rest(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) rest[i] = out[i] - static_cast<float>(dot / norm) * tone[i];
    EXPECT_LT(decibels(rms(rest) / rms(tone)), -75);
    return;
  }
  for (double hertz = 9000; hertz < rate / 2.0; hertz *= 1.31) {
    const auto in = sine(hertz, rate, static_cast<std::size_t>(rate) / 4);
    EXPECT_LT(decibels(rms(resampled(in, rate)) / rms(in)), -84) << hertz << " Hz";
  }
}

TEST_P(ResamplerAtEveryRate, LooksAheadAtMostTwoMilliseconds) {
  EXPECT_LE(Resampler(GetParam()).delay_ms(), 2.001);
}

TEST_P(ResamplerAtEveryRate, PassesAConstantExactlyInLevel) {
  const auto out = resampled(std::vector<float>(static_cast<std::size_t>(GetParam()) / 10, 0.5F), GetParam());
  for (std::size_t i = out.size() / 3; i < out.size() * 2 / 3; ++i) ASSERT_NEAR(out[i], 0.5, 1e-6);
}

TEST(Resampler, TheDelayIsWhatThePromisedNumberSays) {
  Resampler resampler(48000);
  std::vector<float> out;
  std::size_t fed = 0;
  const float one = 1;
  while (out.empty()) {
    resampler.process({&one, 1}, out);
    ++fed;
  }
  EXPECT_DOUBLE_EQ(resampler.delay_ms(), 1.0);
  EXPECT_EQ(fed, 49U) << "output 0 stands at input 0 and waits for 1 ms more";
}

TEST(Resampler, EqualRatesCopy) {
  const auto in = noise(1234);
  EXPECT_EQ(resampled(in, 16000), in);
  EXPECT_EQ(Resampler(16000).delay_ms(), 0);
}

TEST(Resampler, OneHertzWorks) {
  const auto out = resampled(std::vector<float>(40, 0.25F), 1);
  EXPECT_EQ(out.size(), 40U * 16000);
  EXPECT_NEAR(out[out.size() / 2], 0.25, 1e-6);
}

TEST(Resampler, GoesToOtherRatesToo) {
  for (const auto& [from, to] : {std::tuple{44100, 48000}, std::tuple{48000, 44100}, std::tuple{16000, 48000}}) {
    const auto out = resampled(sine(3000, from, static_cast<std::size_t>(from) / 4), from, to);
    const auto ideal = sine(3000, to, out.size());
    std::vector<float> error(out.size());
    std::ranges::transform(out, ideal, error.begin(), std::minus());
    EXPECT_LT(decibels(rms(error) / rms(ideal)), -60) << from << " to " << to;
  }
}

TEST(Resampler, FlushAndResetBeginANewStream) {
  const auto first = noise(5000);
  const auto expected = resampled(first, 44100);
  Resampler resampler(44100);
  std::vector<float> out;
  resampler.process(noise(777), out);
  resampler.flush(out);
  out.clear();
  resampler.process(first, out);
  resampler.flush(out);
  EXPECT_EQ(out, expected) << "after flush";

  resampler.process(noise(777), out);
  resampler.reset();
  out.clear();
  resampler.process(first, out);
  resampler.flush(out);
  EXPECT_EQ(out, expected) << "after reset";
}

TEST(Resampler, RefusesRatesThatCannotBe) {
  EXPECT_THROW(Resampler(0), RecorderError);
  EXPECT_THROW(Resampler(-48000), RecorderError);
  EXPECT_THROW(Resampler(768001), RecorderError);
  EXPECT_THROW(Resampler(48000, 0), RecorderError);
}

class ResamplerBesideSoxr : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Rates, ResamplerBesideSoxr, testing::Values(8000, 22050, 44100, 48000, 96000));

TEST_P(ResamplerBesideSoxr, AgreesInPlaceAndLevelOnWhatBothPass) {
  const int rate = GetParam();
  // Noise below 0.3 of the lower rate, made by soxr itself from noise at a lower rate still.
  const int narrow_rate = std::min(rate, 16000) * 6 / 10;
  const auto source = noise(static_cast<std::size_t>(narrow_rate));
  const auto with_soxr = [](const std::vector<float>& in, double from, double to) {
    std::vector<float> out(static_cast<std::size_t>(static_cast<double>(in.size()) * to / from) + 1);
    std::size_t done = 0;
    const auto quality = soxr_quality_spec(SOXR_VHQ, 0);
    EXPECT_EQ(soxr_oneshot(from, to, 1, in.data(), in.size(), nullptr, out.data(), out.size(), &done, nullptr, &quality,
                           nullptr),
              nullptr);
    out.resize(done);
    return out;
  };
  const auto in = with_soxr(source, narrow_rate, rate);
  const auto theirs = with_soxr(in, rate, 16000);
  auto ours = resampled(in, rate);
  ours.resize(theirs.size());
  std::vector<float> difference(ours.size());
  std::ranges::transform(ours, theirs, difference.begin(), std::minus());
  EXPECT_LT(decibels(rms(difference) / rms(theirs)), -60);
}

}  // namespace
}  // namespace dictum::audio
