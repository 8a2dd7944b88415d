#include "recorder/session_limits.hpp"

#include <algorithm>
#include <utility>

namespace dictum::recorder {

SessionLimits::SessionLimits(TimeSource time, const boost::asio::any_io_executor& loop,
                             std::function<void(SessionInput)> expired)
    : time_(std::move(time)),
      expired_(std::move(expired)),
      limit_(time_.timers->make_timer(loop)),
      drain_(time_.timers->make_timer(loop)) {}

void SessionLimits::arm(std::chrono::nanoseconds delay) {
  const auto at = time_.clock->steady_now() + delay;
  limit_at_ = limit_->is_running() ? std::min(limit_at_, at) : at;
  limit_->start(left_until(limit_at_), [this] { expired_(SessionInput::limit_expired); });
}

void SessionLimits::arm_drain(SessionLifecycle::Time deadline) {
  drain_->start(left_until(deadline), [this] { expired_(SessionInput::drain_expired); });
}

void SessionLimits::cancel() {
  limit_->cancel();
  drain_->cancel();
}

std::chrono::nanoseconds SessionLimits::left_until(SessionLifecycle::Time deadline) const {
  return std::max<std::chrono::nanoseconds>(deadline - time_.clock->steady_now(), {});
}

}  // namespace dictum::recorder
