#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dictum/source.hpp"

namespace dictum::capture::test {

/// What a source gives, as a recording that reads it at its pace finds it. Times are seconds since it was opened.
class Tape {
 public:
  explicit Tape(AudioSource& source);

  /// Opens the source.
  AudioFormat open();

  /// Reads until `done`; false where it is not within `limit`.
  bool read_until(const std::function<bool()>& done, std::chrono::milliseconds limit);
  void read_for(std::chrono::milliseconds time);

  /// Ends the timeline, and closes; returns how long the close took.
  std::chrono::milliseconds finish();

  double elapsed() const;  ///< up to now, or to `finish`
  double timeline() const { return static_cast<double>(captured + missing) / format_.sample_rate; }

  /// Seconds by which the timeline is behind the time that passed, the least of the last quarter of a second: audio
  /// that is merely on its way, however busy the machine is, does not count.
  double behind() const;

  /// Whether anything but silence was received after this time on the timeline.
  bool has_sound_after(double seconds) const;

  struct Fault {
    double at;
    SourceFault fault;
  };
  struct Gap {
    Frame start;
    SourceGap gap;
  };

  Frame captured = 0;
  Frame missing = 0;
  std::vector<Fault> faults;
  std::vector<Gap> gaps;
  std::vector<SourceDevice> devices;
  std::vector<float> samples;  ///< of the first channel, without the gaps

 private:
  bool read_once();

  AudioSource& source_;
  AudioFormat format_;
  std::chrono::steady_clock::time_point opened_;
  double finished_ = -1;
  double last_sound_ = -1;
  std::deque<std::pair<double, double>> lags_;  // when, and by how much
  std::vector<float> buffer_;
};

}  // namespace dictum::capture::test
