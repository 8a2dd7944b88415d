#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

#include "dictum/frame.hpp"

namespace dictum::capture {

/// How a device's clock drifts against the machine's, learnt from the arrival times of its frames.
///
/// The *lag* of an arrival is its time less the time that the frames up to it take at the nominal rate. Scheduling and
/// buffers only ever add to it, so its least value over a while (the *floor*) is steady to a millisecond or so under
/// any load. A drifting clock tilts the floor slowly; lost frames raise it at once and permanently. That distinguishes
/// the two.
///
/// Threads: the reader's. Owner: the microphone. A value: no I/O, no clock of its own; never fails.
class DeviceClock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Begins a timeline whose frame 0 has just been seen; what is known of the drift is kept where the rate is the same.
  void begin(int sample_rate, TimePoint origin);

  /// Frames up to `position` (on the timeline, gaps included) had arrived at `time`.
  void observe(TimePoint time, Frame position);

  /// Seconds by which an arrival at `time` lags.
  double lag(TimePoint time, Frame position) const;

  /// Where the floor is expected at `time`: the latest one known, moved on by the drift.
  double floor_at(TimePoint time) const;

  /// Seconds by which the floor has risen within the last seconds, where it is more than any drift could cause: frames
  /// that were lost without a report. 0: none.
  double jump() const;

  /// A gap was inserted here, or another stream begins: what follows is evaluated independently, from `floor` on.
  void restart(double floor);

  /// Parts per million by which the device is faster than the machine; 0 until enough was measured.
  double drift_ppm() const;

 private:
  // The least lag of an interval, and when it was.
  struct Interval {
    double start{};
    double at{};
    double lag{};
  };

  double seconds(TimePoint time) const { return std::chrono::duration<double>(time - origin_).count(); }
  void learn(const Interval& block);

  int sample_rate_ = 0;
  TimePoint origin_;
  std::deque<Interval> intervals_;  // of half a second; the last one is being filled
  std::optional<Interval> block_;   // of some seconds, a point for the drift; being filled
  double known_floor_ = 0;
  double known_at_ = 0;

  // Least squares of lag over time, with one intercept for each run between breaks and one slope for all: sums of
  // squares about the mean of the runs before, and those of this run.
  struct Sums {
    double count = 0, mean_x = 0, mean_y = 0, xx = 0, xy = 0;
  } run_;
  double xx_ = 0, xy_ = 0, learnt_seconds_ = 0;
};

}  // namespace dictum::capture
