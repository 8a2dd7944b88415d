#include "capture/device_clock.hpp"

#include <algorithm>
#include <cmath>

namespace dictum::capture {
namespace {

constexpr double kInterval = 0.5;           // seconds
constexpr std::size_t kFloorIntervals = 8;  // the floor is the least of this many
constexpr std::size_t kJumpIntervals = 3;   // a jump must have lasted this long
constexpr double kMinJump = 0.030;          // in 4 s: 7500 ppm, beyond any oscillator
constexpr double kBlock = 5;                // seconds whose least lag is one point of the drift's line
constexpr double kMinToMeasure = 20;        // seconds of such blocks before a drift is reported ...
constexpr double kMinToExtrapolate = 60;    // ... and before a long gap is measured with it

}  // namespace

void DeviceClock::begin(int sample_rate, TimePoint origin) {
  restart(0);
  if (sample_rate != sample_rate_) xx_ = xy_ = learnt_seconds_ = 0;
  sample_rate_ = sample_rate;
  origin_ = origin;
  known_at_ = 0;
}

double DeviceClock::lag(TimePoint time, Frame position) const {
  return seconds(time) - static_cast<double>(position) / sample_rate_;
}

void DeviceClock::observe(TimePoint time, Frame position) {
  const double now = seconds(time);
  const double value = lag(time, position);
  const auto take = [&](Interval& interval) {
    if (value >= interval.lag) return;
    interval.at = now;
    interval.lag = value;
  };
  if (intervals_.empty() || now - intervals_.back().start >= kInterval) {
    intervals_.push_back({now, now, value});
    if (intervals_.size() > kFloorIntervals) intervals_.pop_front();
  }
  take(intervals_.back());
  if (!block_ || now - block_->start >= kBlock) {
    if (block_) learn(*block_);
    block_ = Interval{now, now, value};
  }
  take(*block_);
  known_floor_ = std::ranges::min(intervals_, {}, &Interval::lag).lag;
  known_at_ = now;
}

double DeviceClock::floor_at(TimePoint time) const {
  if (learnt_seconds_ < kMinToExtrapolate) return known_floor_;
  return known_floor_ - drift_ppm() * 1e-6 * (seconds(time) - known_at_);
}

double DeviceClock::jump() const {
  if (intervals_.size() < kJumpIntervals + 2) return 0;
  const auto split = intervals_.end() - static_cast<std::ptrdiff_t>(kJumpIntervals);
  const double before = std::ranges::min_element(intervals_.begin(), split, {}, &Interval::lag)->lag;
  const double after = std::ranges::min_element(split, intervals_.end(), {}, &Interval::lag)->lag;
  return after - before > kMinJump ? after - before : 0;
}

void DeviceClock::restart(double floor) {
  xx_ += run_.xx;
  xy_ += run_.xy;
  run_ = {};
  block_.reset();
  intervals_.clear();
  known_floor_ = floor;
}

void DeviceClock::learn(const Interval& block) {
  learnt_seconds_ += kBlock;
  run_.count += 1;
  const double dx = block.at - run_.mean_x;
  run_.mean_x += dx / run_.count;
  run_.mean_y += (block.lag - run_.mean_y) / run_.count;
  run_.xx += dx * (block.at - run_.mean_x);
  run_.xy += dx * (block.lag - run_.mean_y);
}

double DeviceClock::drift_ppm() const {
  const double xx = xx_ + run_.xx;
  if (learnt_seconds_ < kMinToMeasure || xx <= 0) return 0;
  return -(xy_ + run_.xy) / xx * 1e6;
}

}  // namespace dictum::capture
