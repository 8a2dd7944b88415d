#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "dictum/detail/unique_function.hpp"

namespace dictum::recorder {

/// A condition variable for coroutines: `while (!holds()) co_await condition.wait();`.
///
/// Threads: lives on one strand, where every method is called and every waiting coroutine runs, so that no notification
/// is missed between the question and the wait. Owner: whatever the condition is about, which outlives its waiters.
class Condition {
 public:
  explicit Condition(boost::asio::any_io_executor strand) : strand_(std::move(strand)) {}

  /// Returns after the next `notify`.
  boost::asio::awaitable<void> wait() {
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [this](auto handler) {
          // The threads of the strand do not end while somebody waits.
          waiting_.emplace_back([handler = std::move(handler), work = boost::asio::make_work_guard(strand_)]() mutable {
            std::move(handler)();
          });
        },
        boost::asio::use_awaitable);
  }

  /// Wakes everyone that waits now, in the order in which they began to.
  void notify() {
    for (auto& waiter : std::exchange(waiting_, {})) boost::asio::post(strand_, std::move(waiter));
  }

 private:
  const boost::asio::any_io_executor strand_;
  std::vector<detail::UniqueFunction<void()>> waiting_;
};

}  // namespace dictum::recorder
