#include "support/virtual_time.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>

namespace dictum::test {

class VirtualTime::VirtualTimer final : public Timer {
 public:
  VirtualTimer(const VirtualTime& time, boost::asio::any_io_executor executor)
      : time_(time), schedule_(time.schedule_), executor_(std::move(executor)) {}
  ~VirtualTimer() override { VirtualTimer::cancel(); }
  VirtualTimer(const VirtualTimer&) = delete;
  VirtualTimer& operator=(const VirtualTimer&) = delete;

  void start(std::chrono::nanoseconds delay, std::function<void()> fire) override {
    cancel();
    fire_ = std::make_shared<std::function<void()>>(std::move(fire));
    key_ = Key{time_.elapsed_ + std::max(delay, std::chrono::nanoseconds(0)), schedule_->starts++};
    schedule_->due.emplace(*key_, [this, current = std::weak_ptr(fire_)] {
      key_.reset();
      boost::asio::post(executor_, [this, current] {
        const auto fire_now = current.lock();
        if (!fire_now) return;
        fire_.reset();
        (*fire_now)();
      });
    });
  }

  void cancel() override {
    if (key_) schedule_->due.erase(*key_);
    key_.reset();
    fire_.reset();
  }

  bool is_running() const override { return fire_ != nullptr; }

 private:
  const VirtualTime& time_;
  const std::shared_ptr<Schedule> schedule_;
  const boost::asio::any_io_executor executor_;
  std::shared_ptr<std::function<void()>> fire_;
  std::optional<Key> key_;
};

std::unique_ptr<Timer> VirtualTime::make_timer(const boost::asio::any_io_executor& executor) const {
  return std::make_unique<VirtualTimer>(*this, executor);
}

void VirtualTime::run_ready() {
  io_.restart();
  while (io_.poll() > 0) io_.restart();
}

void VirtualTime::fire_next() {
  const auto next = schedule_->due.begin();
  elapsed_ = std::max(elapsed_, next->first.first);
  const auto fire = std::move(next->second);
  schedule_->due.erase(next);
  fire();
}

void VirtualTime::advance(std::chrono::nanoseconds step) {
  const auto end = elapsed_ + step;
  run_ready();
  while (!schedule_->due.empty() && schedule_->due.begin()->first.first <= end) {
    fire_next();
    run_ready();
  }
  elapsed_ = end;
}

bool VirtualTime::run_until(const std::function<bool()>& condition, std::chrono::nanoseconds limit) {
  const auto end = elapsed_ + limit;
  for (run_ready(); !condition(); run_ready()) {
    if (schedule_->due.empty() || schedule_->due.begin()->first.first > end) return false;
    fire_next();
  }
  return true;
}

}  // namespace dictum::test
