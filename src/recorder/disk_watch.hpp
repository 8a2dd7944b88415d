#pragma once

#include <atomic>
#include <chrono>

namespace dictum::recorder {

/// Notices a disk that does not answer, from outside of the strand that it holds.
///
/// Thread safety: `asked` on one strand, `answered` on another.
class DiskWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// A disk that is only slow writes its summary within that.
  static constexpr auto kMaxSilence = std::chrono::seconds(2);

  /// Something is given to the disk. True once where it has answered nothing for too long.
  bool asked(Time now) {
    if (pending_.fetch_add(1) == 0) {
      since_.store(now);
      return false;
    }
    return now - since_.load() > kMaxSilence && !is_reported_.exchange(true);
  }

  void answered(Time now) {
    since_.store(now);
    pending_.fetch_sub(1);
    is_reported_.store(false);
  }

 private:
  std::atomic<int> pending_{0};
  std::atomic<Time> since_{Time{}};
  std::atomic<bool> is_reported_{false};
};

}  // namespace dictum::recorder
