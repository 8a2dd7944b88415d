#pragma once

#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "dictum/clock.hpp"
#include "dictum/frame.hpp"

namespace dictum::capture {

/// How fast audio that is already available is delivered.
enum class Pace {
  fast,     ///< as fast as it is read
  realtime  ///< as a microphone would
};

/// Says how many frames of a stored sound a microphone would have delivered by now. One thread at a time; owned by a
/// source; does not fail.
class Pacer {
 public:
  /// `clock` may be null where the pace is fast.
  Pacer(Pace pace, std::shared_ptr<const Clock> clock) : pace_(pace), clock_(std::move(clock)) {}

  /// The next frame is recorded from now on.
  void start(int sample_rate) {
    sample_rate_ = sample_rate;
    if (pace_ == Pace::realtime) started_ = clock_->steady_now();
    delivered_ = 0;
  }

  void deliver(Frame frames) { delivered_ += frames; }

  /// Frames that are due and were not delivered.
  Frame due() const {
    if (pace_ == Pace::fast) return std::numeric_limits<Frame>::max();
    const std::chrono::nanoseconds elapsed = clock_->steady_now() - started_;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(elapsed);
    // In two parts: nanoseconds times a rate would overflow after some hours.
    return seconds.count() * sample_rate_ + (elapsed - seconds).count() * sample_rate_ / 1'000'000'000 - delivered_;
  }

  /// What AudioSource::pace() says.
  std::chrono::milliseconds interval() const { return std::chrono::milliseconds(pace_ == Pace::fast ? 0 : 20); }

 private:
  const Pace pace_;
  const std::shared_ptr<const Clock> clock_;
  std::chrono::steady_clock::time_point started_;
  int sample_rate_ = 0;
  Frame delivered_ = 0;
};

}  // namespace dictum::capture
