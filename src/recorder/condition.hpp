#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace dictum::recorder {

/// A condition variable for coroutines: `while (!holds()) co_await condition.wait();`.
///
/// Threads: lives on one strand, where every method is called and every waiting coroutine runs, so that no notification
/// is missed between the question and the wait. Owner: whatever the condition is about, which outlives its waiters.
class Condition {
 public:
  explicit Condition(const boost::asio::any_io_executor& strand)
      : never_(strand, boost::asio::steady_timer::time_point::max()) {}

  /// Returns after the next `notify`.
  boost::asio::awaitable<void> wait() { co_await never_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable)); }

  /// Wakes everyone that waits now.
  void notify() { never_.cancel(); }

 private:
  boost::asio::steady_timer never_;
};

}  // namespace dictum::recorder
