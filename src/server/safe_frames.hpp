#pragma once

#include <algorithm>
#include <limits>
#include <variant>

#include "dictum/event.hpp"
#include "dictum/frame.hpp"

namespace dictum::server {

/// How many of a stream's first frames need not be kept by its client any more, by the events of its session. Never
/// more than the frames before the first that a full disk has lost. No I/O.
class SafeFrames {
 public:
  /// `margin` is how many frames behind the newest the detector and the disk may still hold.
  explicit SafeFrames(Frame margin) : margin_(margin) {}

  /// Takes the next event of the session. True where more frames are safe.
  bool take(const Event& event) {
    Frame safe = 0;
    if (const auto* const gap = std::get_if<AudioGap>(&event.body); gap && gap->reason == GapReason::disk) {
      lost_from_ = std::min(lost_from_, gap->start_frame);
    } else if (const auto* const changed = std::get_if<RecordingStateChanged>(&event.body)) {
      if (changed->state == RecordingState::idle) safe = event.frame;
    } else if (std::holds_alternative<AudioLevel>(event.body)) {
      safe = event.frame - margin_;
    }
    safe = std::min(safe, lost_from_);
    if (safe <= count_) return false;
    count_ = safe;
    return true;
  }

  Frame count() const { return count_; }

 private:
  const Frame margin_;
  Frame count_ = 0;
  Frame lost_from_ = std::numeric_limits<Frame>::max();
};

}  // namespace dictum::server
