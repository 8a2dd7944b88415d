#pragma once

#include <chrono>
#include <optional>

#include "base/event_fd.hpp"

namespace dictum::program {

/// SIGINT, SIGTERM and SIGHUP as something to wait for, beside a wake-up of our own. Made in main's thread before any
/// other thread exists, so that all of them inherit the mask. `wake` may be called from any thread.
class Signals {
 public:
  Signals();

  enum class Event { signal, woken, timeout };

  /// Waits for a signal, for `wake`, or until the time has come.
  Event wait(std::optional<std::chrono::steady_clock::time_point> until = std::nullopt);

  void wake();

 private:
  UniqueFD signals_;
  EventFD woken_;
};

}  // namespace dictum::program
