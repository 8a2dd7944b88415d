#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "base/timer.hpp"
#include "dictum/clock.hpp"

namespace dictum::test {

/// A clock and the timers of a test, in which an hour takes no time. Time stands still while handlers run and moves on
/// from timer to timer when none is ready. Lives on the test's thread with the `io_context`, which nobody else runs;
/// outlives the timers that it made.
class VirtualTime final : public Clock, public Timers {
 public:
  explicit VirtualTime(boost::asio::io_context& io, std::chrono::system_clock::time_point start = {})
      : io_(io), start_(start) {}

  std::chrono::system_clock::time_point now() const override {
    return start_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(elapsed_);
  }
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(elapsed_);
  }
  std::unique_ptr<Timer> make_timer(const boost::asio::any_io_executor& executor) const override;

  /// Runs all ready handlers, then moves on by `step`; the timers on the way fire in the order of their times, those of
  /// the same time in the order of their starts, and what each one makes ready runs before the next.
  void advance(std::chrono::nanoseconds step);

  /// Moves on until `condition` is true; false where `limit` passes, or no timer is left, before that.
  bool run_until(const std::function<bool()>& condition, std::chrono::nanoseconds limit = std::chrono::hours(1));

  /// Timers that are running.
  std::size_t running_timers() const { return schedule_->due.size(); }

 private:
  class VirtualTimer;
  using Key = std::pair<std::chrono::nanoseconds, std::uint64_t>;  // when, and which start
  struct Schedule {
    std::map<Key, std::function<void()>> due;
    std::uint64_t starts = 0;
  };

  void run_ready();
  void fire_next();

  boost::asio::io_context& io_;
  const std::chrono::system_clock::time_point start_;
  std::chrono::nanoseconds elapsed_{0};
  const std::shared_ptr<Schedule> schedule_ = std::make_shared<Schedule>();
};

}  // namespace dictum::test
