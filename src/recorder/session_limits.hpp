#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "recorder/session_lifecycle.hpp"
#include "recorder/time_source.hpp"

namespace dictum::recorder {

/// The two times that bound the end of a session: how long a step may take, and how long texts are waited for.
///
/// Threads: lives on the `loop` strand. Owner: the session, whose life cycle says when to arm which.
class SessionLimits {
 public:
  /// `expired` is given the input that follows: `limit_expired` or `drain_expired`.
  SessionLimits(TimeSource time, const boost::asio::any_io_executor& loop, std::function<void(SessionInput)> expired);

  /// Expires that long from now, and no later than it was armed for already.
  void arm(std::chrono::nanoseconds delay);
  bool is_armed() const { return limit_->is_running(); }
  void clear() { limit_->cancel(); }

  void arm_drain(SessionLifecycle::Time deadline);

  void cancel();

 private:
  std::chrono::nanoseconds left_until(SessionLifecycle::Time deadline) const;

  const TimeSource time_;
  const std::function<void(SessionInput)> expired_;
  const std::unique_ptr<Timer> limit_;
  const std::unique_ptr<Timer> drain_;
  SessionLifecycle::Time limit_at_{};
};

}  // namespace dictum::recorder
