#include "vad/stft.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "vad_test_data.hpp"

namespace dictum::vad {
namespace {

struct alignas(64) Signal : std::array<float, STFT::kSamples> {};
using Magnitudes = std::array<float, STFT::kFrames * STFT::kBins>;

/// A Hann window times a Fourier transform, as the official model holds it.
std::vector<float> fourier_basis() {
  std::vector<float> basis;
  const auto add_rows = [&](double (*wave)(double), double sign) {
    for (std::size_t k = 0; k < STFT::kBins; ++k) {
      for (std::size_t n = 0; n < STFT::kSize; ++n) {
        const double turn = 2 * std::numbers::pi / static_cast<double>(STFT::kSize);
        const double hann = 0.5 - 0.5 * std::cos(turn * static_cast<double>(n));
        basis.push_back(static_cast<float>(sign * hann * wave(turn * static_cast<double>(k * n))));
      }
    }
  };
  add_rows(std::cos, 1);
  add_rows(std::sin, -1);
  return basis;
}

Magnitudes expected_magnitudes(const std::vector<float>& basis, const Signal& signal) {
  Magnitudes out;
  for (std::size_t f = 0; f < STFT::kFrames; ++f) {
    for (std::size_t k = 0; k < STFT::kBins; ++k) {
      double re = 0;
      double im = 0;
      for (std::size_t n = 0; n < STFT::kSize; ++n) {
        const double sample = static_cast<double>(signal[f * STFT::kHop + n]);
        re += sample * static_cast<double>(basis[k * STFT::kSize + n]);
        im += sample * static_cast<double>(basis[(STFT::kBins + k) * STFT::kSize + n]);
      }
      out[f * STFT::kBins + k] = static_cast<float>(std::hypot(re, im));
    }
  }
  return out;
}

void expect_equal_on_every_vector_unit(const std::vector<float>& basis, const Signal& signal, float tolerance) {
  const STFT stft(basis);
  const auto expected = expected_magnitudes(basis, signal);
  test::on_every_vector_unit([&](const std::string& unit) {
    Magnitudes magnitudes;
    stft.magnitudes(signal, magnitudes);
    for (std::size_t i = 0; i < magnitudes.size(); ++i) {
      ASSERT_NEAR(magnitudes[i], expected[i], tolerance) << unit << ", value " << i;
    }
  });
}

Signal noise_signal() {
  const auto noise = test::noise(2, 1.0f);
  Signal signal;
  std::copy_n(noise.begin(), signal.size(), signal.begin());
  return signal;
}

TEST(STFT, TheFastTransformEqualsTheMatrix) {
  ASSERT_TRUE(STFT(fourier_basis()).is_fast());
  expect_equal_on_every_vector_unit(fourier_basis(), noise_signal(), 2e-5f);
}

TEST(STFT, EachSampleContributesToItsFramesOnly) {
  for (std::size_t at = 0; at < STFT::kSamples; at += 41) {
    Signal signal{};
    signal[at] = 1;
    expect_equal_on_every_vector_unit(fourier_basis(), signal, 1e-6f);
  }
}

TEST(STFT, SilenceHasNoMagnitudes) {
  expect_equal_on_every_vector_unit(fourier_basis(), Signal{}, 0);
}

TEST(STFT, AMatrixThatIsNoFourierTransformIsMultiplied) {
  for (const std::size_t changed : {std::size_t{200}, STFT::kBins * STFT::kSize + 777}) {
    auto basis = fourier_basis();
    basis[changed] += 0.25f;
    ASSERT_FALSE(STFT(basis).is_fast());
    expect_equal_on_every_vector_unit(basis, noise_signal(), 2e-5f);
  }
}

TEST(STFT, ABasisThatIsNotANumberIsNotFast) {
  auto basis = fourier_basis();
  basis[10] = std::nanf("");
  EXPECT_FALSE(STFT(basis).is_fast());
}

}  // namespace
}  // namespace dictum::vad
