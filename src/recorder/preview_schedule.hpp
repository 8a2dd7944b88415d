#pragma once

#include <optional>

#include "dictum/frame.hpp"

namespace dictum::recorder {

/// When interim text of the segment that is being spoken is worth asking for: first after a second, then at most five
/// times a second; the transcriber decides how often it gives any. Counted in frames, so the same audio asks at the
/// same places. No thread, no clock.
class PreviewSchedule {
 public:
  explicit PreviewSchedule(int sample_rate) : sample_rate_(sample_rate) {}

  void segment_opened(Frame start) { next_ = start + sample_rate_; }
  void segment_closed() { next_.reset(); }

  /// Whether it is time to ask, the recording having come to `now`.
  bool is_due(Frame now) {
    if (!next_ || now < *next_) return false;
    next_ = now + sample_rate_ / 5;
    return true;
  }

 private:
  int sample_rate_;
  std::optional<Frame> next_;
};

}  // namespace dictum::recorder
