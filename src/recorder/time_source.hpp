#pragma once

#include <memory>

#include "base/timer.hpp"
#include "dictum/clock.hpp"

namespace dictum::recorder {

/// Where a recorder has its time from: the system, or a test. Shared by the recorder and by what it leaves behind.
struct TimeSource {
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<const Timers> timers;
};

}  // namespace dictum::recorder
