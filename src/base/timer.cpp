#include "base/timer.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

namespace dictum {
namespace {

class SystemTimer final : public Timer {
 public:
  explicit SystemTimer(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  void start(std::chrono::nanoseconds delay, std::function<void()> fire) override {
    fire_ = std::make_shared<std::function<void()>>(std::move(fire));
    constexpr std::chrono::nanoseconds kMaxDelay = std::chrono::hours(24 * 365);  // far from the clock's overflow
    timer_.expires_after(std::min(delay, kMaxDelay));
    timer_.async_wait([this, current = std::weak_ptr(fire_)](const boost::system::error_code&) {
      const auto fire_now = current.lock();
      if (!fire_now) return;  // cancelled or started again; the timer itself may be gone
      fire_.reset();
      (*fire_now)();
    });
  }

  void cancel() override {
    fire_.reset();
    timer_.cancel();
  }

  bool is_running() const override { return fire_ != nullptr; }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<std::function<void()>> fire_;  // owned here only: a handler that can lock it is the current one
};

}  // namespace

std::unique_ptr<Timer> SystemTimers::make_timer(const boost::asio::any_io_executor& executor) const {
  return std::make_unique<SystemTimer>(executor);
}

}  // namespace dictum
