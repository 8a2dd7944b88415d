#include "vad/stft.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "vad/simd_target.hpp"

// The code between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE is compiled once for each kind of vector unit.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vad/stft.cpp"
#include <hwy/foreach_target.h>  // before highway.h
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dictum::vad::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

struct Spectrum {
  alignas(64) float re[STFT::kSize + 1];  // the last value repeats the first
  alignas(64) float im[STFT::kSize + 1];
};

template <class Tag>
struct Complex {
  hn::Vec<Tag> re;
  hn::Vec<Tag> im;

  static HWY_INLINE Complex load(const float* re, const float* im) {
    return {hn::Load(Tag(), re), hn::Load(Tag(), im)};
  }
  HWY_INLINE void store(float* re_out, float* im_out) const {
    hn::Store(re, Tag(), re_out);
    hn::Store(im, Tag(), im_out);
  }
  HWY_INLINE Complex operator+(Complex other) const { return {hn::Add(re, other.re), hn::Add(im, other.im)}; }
  HWY_INLINE Complex operator-(Complex other) const { return {hn::Sub(re, other.re), hn::Sub(im, other.im)}; }
  HWY_INLINE Complex operator*(Complex other) const {
    return {hn::NegMulAdd(im, other.im, hn::Mul(re, other.re)), hn::MulAdd(im, other.re, hn::Mul(re, other.im))};
  }
  HWY_INLINE Complex over_i() const { return {im, hn::Neg(re)}; }
};

/// One pass of Stockham's radix-4 transform; `stride` is 1, 4, 16 and 64 in the four passes.
template <std::size_t stride>
HWY_INLINE void pass(const Spectrum& in, const STFT::Twiddles* twiddles, Spectrum& out) {
  using Tag = hn::CappedTag<float, stride == 1 ? 16 : std::min<std::size_t>(stride, 16)>;
  constexpr std::size_t quarter = STFT::kQuarter;
  for (std::size_t i = 0; i < quarter; i += hn::MaxLanes(Tag())) {
    Complex<Tag> x[STFT::kRadix];
    for (std::size_t k = 0; k < STFT::kRadix; ++k)
      x[k] = Complex<Tag>::load(in.re + k * quarter + i, in.im + k * quarter + i);
    const auto even_sum = x[0] + x[2];
    const auto even_difference = x[0] - x[2];
    const auto odd_sum = x[1] + x[3];
    const auto odd_difference = (x[1] - x[3]).over_i();
    x[0] = even_sum + odd_sum;
    x[1] = even_difference + odd_difference;
    x[2] = even_sum - odd_sum;
    x[3] = even_difference - odd_difference;
    if constexpr (stride < quarter) {
      for (std::size_t k = 1; k < STFT::kRadix; ++k) {
        const std::size_t at = (k - 1) * quarter + i;
        x[k] = x[k] * Complex<Tag>::load(twiddles->re.data() + at, twiddles->im.data() + at);
      }
    }
    if constexpr (stride == 1) {
      hn::StoreInterleaved4(x[0].re, x[1].re, x[2].re, x[3].re, Tag(), out.re + STFT::kRadix * i);
      hn::StoreInterleaved4(x[0].im, x[1].im, x[2].im, x[3].im, Tag(), out.im + STFT::kRadix * i);
    } else {
      const std::size_t first = i % stride + (i - i % stride) * STFT::kRadix;
      for (std::size_t k = 0; k < STFT::kRadix; ++k)
        x[k].store(out.re + first + k * stride, out.im + first + k * stride);
    }
  }
}

/// The magnitudes of two frames, which are transformed together as the real and the imaginary part of one.
HWY_INLINE void transform(const STFT& stft, const float* first, const float* second, float* first_out,
                          float* second_out) {
  constexpr hn::CappedTag<float, 16> tag;
  constexpr std::size_t lanes = hn::MaxLanes(tag);
  Spectrum a;
  Spectrum b;
  for (std::size_t i = 0; i < STFT::kSize; i += lanes) {
    const auto weight = hn::Load(tag, stft.half_window().data() + i);
    hn::Store(hn::Mul(weight, hn::Load(tag, first + i)), tag, a.re + i);
    hn::Store(hn::Mul(weight, hn::Load(tag, second + i)), tag, a.im + i);
  }
  pass<1>(a, &stft.twiddles(0), b);
  pass<4>(b, &stft.twiddles(1), a);
  pass<16>(a, &stft.twiddles(2), b);
  pass<64>(b, nullptr, a);

  // A real frame's spectrum is conjugate symmetric, so bins k and -k of the joint spectrum give bin k of both frames.
  a.re[STFT::kSize] = a.re[0];
  a.im[STFT::kSize] = a.im[0];
  constexpr std::size_t last = STFT::kBins - 1;
  for (std::size_t k = 0; k < last; k += lanes) {
    const std::size_t mirrored = STFT::kSize + 1 - lanes - k;
    const auto re = hn::Load(tag, a.re + k);
    const auto im = hn::Load(tag, a.im + k);
    const auto mirrored_re = hn::Reverse(tag, hn::LoadU(tag, a.re + mirrored));
    const auto mirrored_im = hn::Reverse(tag, hn::LoadU(tag, a.im + mirrored));
    const auto first_re = hn::Add(re, mirrored_re);
    const auto first_im = hn::Sub(im, mirrored_im);
    const auto second_re = hn::Sub(re, mirrored_re);
    const auto second_im = hn::Add(im, mirrored_im);
    hn::StoreU(hn::Sqrt(hn::MulAdd(first_re, first_re, hn::Mul(first_im, first_im))), tag, first_out + k);
    hn::StoreU(hn::Sqrt(hn::MulAdd(second_re, second_re, hn::Mul(second_im, second_im))), tag, second_out + k);
  }
  first_out[last] = 2 * std::abs(a.re[last]);
  second_out[last] = 2 * std::abs(a.im[last]);
}

void multiply(const float* matrix, const float* frame, float* out) {
  float spectrum[2 * STFT::kBins] = {};
  for (std::size_t n = 0; n < STFT::kSize; ++n) {
    for (std::size_t k = 0; k < 2 * STFT::kBins; ++k) spectrum[k] += matrix[n * 2 * STFT::kBins + k] * frame[n];
  }
  for (std::size_t k = 0; k < STFT::kBins; ++k) out[k] = std::hypot(spectrum[k], spectrum[STFT::kBins + k]);
}

void compute_magnitudes(const STFT& stft, const float* signal, float* out) {
  for (std::size_t f = 0; f < STFT::kFrames; f += 2) {
    const float* first = signal + f * STFT::kHop;
    const float* second = first + STFT::kHop;
    float* first_out = out + f * STFT::kBins;
    float* second_out = first_out + STFT::kBins;
    if (stft.is_fast()) {
      transform(stft, first, second, first_out, second_out);
    } else {
      multiply(stft.matrix().data(), first, first_out);
      multiply(stft.matrix().data(), second, second_out);
    }
  }
}

}  // namespace
}  // namespace dictum::vad::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace dictum::vad {

constexpr decltype(&HWY_STATIC_DISPATCH(compute_magnitudes)) kComputeMagnitudes[] = DICTUM_KERNELS(compute_magnitudes);

namespace {

constexpr double kTolerance = 1e-7;  // of a value of the basis, which the official model keeps to 8e-8

/// The sines and cosines of all angles that occur: multiples of a full turn by kSize.
class Circle {
 public:
  Circle() {
    for (std::size_t n = 0; n < STFT::kSize; ++n) {
      cosines_[n] = std::cos(2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(STFT::kSize));
    }
  }
  double cosine(std::size_t n) const { return cosines_[n % STFT::kSize]; }
  double sine(std::size_t n) const { return cosine(n + STFT::kSize - STFT::kSize / 4); }
  double hann(std::size_t n) const { return 0.5 - 0.5 * cosine(n); }

 private:
  std::array<double, STFT::kSize> cosines_;
};

bool is_windowed_fourier_transform(std::span<const float> basis, const Circle& circle) {
  for (std::size_t k = 0; k < STFT::kBins; ++k) {
    for (std::size_t n = 0; n < STFT::kSize; ++n) {
      const double re = static_cast<double>(basis[k * STFT::kSize + n]);
      const double im = static_cast<double>(basis[(STFT::kBins + k) * STFT::kSize + n]);
      // Written so that a value that is not a number does not pass.
      if (!(std::abs(re - circle.hann(n) * circle.cosine(k * n)) <= kTolerance)) return false;
      if (!(std::abs(im + circle.hann(n) * circle.sine(k * n)) <= kTolerance)) return false;
    }
  }
  return true;
}

STFT::Twiddles make_twiddles(std::size_t stride, const Circle& circle) {
  STFT::Twiddles twiddles;
  for (std::size_t k = 1; k < STFT::kRadix; ++k) {
    for (std::size_t i = 0; i < STFT::kQuarter; ++i) {
      const std::size_t at = (k - 1) * STFT::kQuarter + i;
      twiddles.re[at] = static_cast<float>(circle.cosine(k * (i - i % stride)));
      twiddles.im[at] = static_cast<float>(-circle.sine(k * (i - i % stride)));
    }
  }
  return twiddles;
}

}  // namespace

STFT::STFT(std::span<const float> basis) {
  const Circle circle;
  for (std::size_t n = 0; n < kSize; ++n) half_window_[n] = static_cast<float>(circle.hann(n) / 2);
  twiddles_ = {make_twiddles(1, circle), make_twiddles(4, circle), make_twiddles(16, circle)};
  if (is_windowed_fourier_transform(basis, circle)) return;
  matrix_.resize(basis.size());
  for (std::size_t row = 0; row < 2 * kBins; ++row) {
    for (std::size_t n = 0; n < kSize; ++n) matrix_[n * 2 * kBins + row] = basis[row * kSize + n];
  }
}

void STFT::magnitudes(std::span<const float, kSamples> signal, std::span<float, kFrames * kBins> out) const {
  kComputeMagnitudes[chosen_kernels()](*this, signal.data(), out.data());
}

}  // namespace dictum::vad

#endif
