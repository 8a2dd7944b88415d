#include "audio/resampler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

constexpr double kHalfWidth = 16;  // of the filter, in samples of the lower rate: 1 ms at 16 kHz
constexpr double kCutoff = 0.45;   // in cycles a sample of the lower rate
constexpr double kBeta = 8;

constexpr std::size_t kLanes = 16;               // partial sums of a filter's output; taps come in multiples of it
constexpr std::size_t kLargestTable = 1U << 16;  // values: 256 KiB, which a second-level cache holds
constexpr double kRowsPerSample = 512;           // of the lower rate, interpolated: an error of about -118 dB
constexpr std::size_t kChunk = 4096;             // inputs taken at once, to bound history_

// The modified Bessel function of order 0, by its power series.
double bessel_i0(double x) {
  double sum = 1;
  double term = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= (x / 2 / k) * (x / 2 / k);
    sum += term;
  }
  return sum;
}

// The prototype filter, `t` in samples of the lower rate.
double kernel(double t) {
  const double u = t / kHalfWidth;
  if (std::abs(u) >= 1) return 0;
  const double x = 2 * std::numbers::pi * kCutoff * t;
  const double sinc = std::abs(x) < 1e-9 ? 1 : std::sin(x) / x;
  return sinc * bessel_i0(kBeta * std::sqrt(1 - u * u));
}

// The lanes are added up in one order whatever the width of the processor's vectors is, so all x86 processors compute
// the same bits.
[[gnu::always_inline]] inline float dot_in_lanes(const float* a, const float* b, std::size_t size) {
  using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;
  Lanes sums{};
  for (std::size_t i = 0; i < size; i += kLanes) {
    Lanes x, y;
    std::memcpy(&x, a + i, sizeof x);
    std::memcpy(&y, b + i, sizeof y);
    sums += x * y;
  }
  float sum = 0;
  for (std::size_t lane = 0; lane < kLanes / 4; ++lane) {
    sum += (sums[lane] + sums[lane + kLanes / 4]) + (sums[lane + kLanes / 2] + sums[lane + kLanes * 3 / 4]);
  }
  return sum;
}

float dot(const float* a, const float* b, std::size_t size) {
  return dot_in_lanes(a, b, size);
}

#ifdef __x86_64__
[[gnu::target("avx2")]] float dot_avx2(const float* a, const float* b, std::size_t size) {
  return dot_in_lanes(a, b, size);
}

auto* best_dot() {
  return __builtin_cpu_supports("avx2") ? dot_avx2 : dot;
}
#else
auto* best_dot() {
  return dot;
}
#endif

}  // namespace

Resampler::Resampler(int from_rate, int to_rate) : from_rate_(from_rate), dot_(best_dot()) {
  if (from_rate < 1 || from_rate > kHighestRate || to_rate < kLowestRate || to_rate > kHighestRate) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("Audio at {} Hz cannot be resampled to {} Hz.", from_rate, to_rate));
  }
  if (from_rate == to_rate) return;

  const int divisor = std::gcd(from_rate, to_rate);
  phases_ = static_cast<std::size_t>(to_rate / divisor);
  step_ = static_cast<std::size_t>(from_rate / divisor);

  const double ratio = std::max(1.0, double(from_rate) / to_rate);  // input samples in one of the lower rate
  look_ahead_ = static_cast<std::size_t>(std::ceil(kHalfWidth * ratio));
  taps_ = (2 * look_ahead_ + kLanes - 1) / kLanes * kLanes;
  rows_ = phases_ * taps_ <= kLargestTable ? phases_ : static_cast<std::size_t>(std::ceil(kRowsPerSample / ratio));

  // A window ends look_ahead_ samples after the one that its output stands at or behind.
  table_.resize((rows_ + 1) * taps_);
  std::vector<double> row(taps_);
  for (std::size_t r = 0; r <= rows_; ++r) {
    const double fraction = static_cast<double>(r) / static_cast<double>(rows_);
    for (std::size_t tap = 0; tap < taps_; ++tap) {
      const auto position = static_cast<double>(tap) - static_cast<double>(taps_ - 1 - look_ahead_);
      row[tap] = kernel((position - fraction) / ratio);
    }
    const double sum = std::reduce(row.begin(), row.end());  // so that every phase passes a constant unchanged
    std::ranges::transform(row, table_.begin() + static_cast<std::ptrdiff_t>(r * taps_),
                           [sum](double value) { return static_cast<float>(value / sum); });
  }
  reset();
}

void Resampler::reset() {
  start_ = 0;
  phase_ = 0;
  history_.clear();
  if (taps_ > 0) history_.resize(taps_ - 1 - look_ahead_);
}

double Resampler::delay_ms() const {
  return 1000.0 * static_cast<double>(look_ahead_) / from_rate_;
}

void Resampler::process(std::span<const float> in, std::vector<float>& out) {
  if (taps_ == 0) {
    out.insert(out.end(), in.begin(), in.end());
    return;
  }
  while (!in.empty()) {
    const auto chunk = in.first(std::min(in.size(), kChunk));
    history_.insert(history_.end(), chunk.begin(), chunk.end());
    in = in.subspan(chunk.size());
    produce(out);
  }
}

void Resampler::flush(std::vector<float>& out) {
  process(std::vector<float>(look_ahead_), out);
  reset();
}

void Resampler::produce(std::vector<float>& out) {
  const std::size_t whole = step_ / phases_;
  const std::size_t rest = step_ % phases_;
  while (start_ + taps_ <= history_.size()) {
    out.push_back(filtered(history_.data() + start_));
    start_ += whole;
    phase_ += rest;
    if (phase_ >= phases_) {
      phase_ -= phases_;
      ++start_;
    }
  }
  const std::size_t done = std::min(start_, history_.size());
  history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(done));
  start_ -= done;
}

float Resampler::filtered(const float* window) const {
  const std::size_t position = phase_ * rows_;
  const float* row = table_.data() + position / phases_ * taps_;
  const float here = dot_(window, row, taps_);
  if (rows_ == phases_) return here;
  const float towards_next = static_cast<float>(position % phases_) / static_cast<float>(phases_);
  return here + towards_next * (dot_(window, row + taps_, taps_) - here);
}

}  // namespace dictum::audio
