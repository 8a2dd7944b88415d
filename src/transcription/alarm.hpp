#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

namespace dictum::transcription {

/// A timer that never fires once it was cleared, not even where its handler was on its way. Lives on its executor, with
/// its owner.
class Alarm {
 public:
  explicit Alarm(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  /// Calls `ring` after `delay`, unless set again or cleared before.
  template <class Ring>
  void set(std::chrono::steady_clock::duration delay, Ring ring) {
    turn_ = std::make_shared<const char>();
    timer_.expires_after(delay);
    timer_.async_wait([this, turn = std::weak_ptr(turn_), ring](const boost::system::error_code& error) {
      if (error || turn.expired()) return;  // and this alarm, maybe, gone
      turn_.reset();
      ring();
    });
  }

  bool is_set() const { return turn_ != nullptr; }

  void clear() {
    turn_.reset();
    timer_.cancel();
  }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<const char> turn_;  // who holds it is the latest
};

}  // namespace dictum::transcription
