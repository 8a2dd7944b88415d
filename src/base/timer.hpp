#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace dictum {

/// Calls a function once after a delay. Lives on the serial executor that it was made for, where all its methods are
/// called and where it fires; owned by whoever waits. A timer that was cancelled, started again or destroyed never
/// fires, not even where its handler was already queued.
class Timer {
 public:
  virtual ~Timer() = default;

  /// Calls `fire` after `delay`; replaces what was started before. `fire` is never called from inside this call.
  virtual void start(std::chrono::nanoseconds delay, std::function<void()> fire) = 0;

  virtual void cancel() = 0;

  /// Whether it will fire.
  virtual bool is_running() const = 0;
};

/// Makes timers; passed in beside a `Clock`, so that a test can run both in virtual time. Safe from any thread.
class Timers {
 public:
  virtual ~Timers() = default;

  virtual std::unique_ptr<Timer> make_timer(const boost::asio::any_io_executor& executor) const = 0;
};

/// Timers of the machine's steady clock.
class SystemTimers final : public Timers {
 public:
  std::unique_ptr<Timer> make_timer(const boost::asio::any_io_executor& executor) const override;
};

/// Waits for `delay` with any completion token; `void(error_code)`. Completes with `operation_aborted` where the
/// operation is cancelled through its cancellation slot, and not at all where `timer` is cancelled, started again or
/// destroyed by somebody else.
template <class Token>
auto async_wait(Timer& timer, std::chrono::nanoseconds delay, Token&& token) {
  return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
      [&timer, delay](auto handler) {
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto complete = [shared, slot](boost::system::error_code error) mutable {
          slot.clear();
          std::move (*shared)(error);
        };
        if (slot.is_connected()) {
          slot.assign([&timer, complete](boost::asio::cancellation_type) {
            timer.start(std::chrono::nanoseconds(0),
                        [complete]() mutable { complete(make_error_code(boost::asio::error::operation_aborted)); });
          });
        }
        timer.start(delay, [complete]() mutable { complete({}); });
      },
      token);
}

}  // namespace dictum
