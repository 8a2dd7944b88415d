#include "recorder/subscribers.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <utility>

#include "recorder/condition.hpp"

namespace dictum::recorder {
namespace {

/// Counts down on the loop strand to where nobody is waited for. Subscribers may be done long after the recorder and
/// its threads are gone, so they refer to it weakly.
struct Countdown {
  explicit Countdown(const boost::asio::any_io_executor& strand, std::size_t subscribers)
      : loop(strand), left(subscribers), changed(strand) {}

  const boost::asio::any_io_executor loop;
  std::size_t left;
  Condition changed;
};

/// For use without the lock.
template <class T>
T copy_of(const Guarded<T>& guarded) {
  return *guarded.lock();
}

}  // namespace

void Subscribers::add(std::shared_ptr<delivery::EventQueue> queue) {
  const auto queues = queues_.lock();
  std::erase_if(*queues, [](const auto& other) { return other->is_closed(); });
  queues->push_back(std::move(queue));
}

bool Subscribers::contains(const detail::EventQueue* queue) const {
  return std::ranges::any_of(*queues_.lock(), [queue](const auto& each) { return each.get() == queue; });
}

void Subscribers::prepare() {
  for (const auto& queue : copy_of(queues_)) queue->prepare();
}

void Subscribers::publish(const EventPointer& event, const delivery::JournalPointer& journal) {
  for (const auto& queue : copy_of(queues_)) queue->push(event, journal);
}

void Subscribers::stop_waiting() {
  for (const auto& queue : copy_of(queues_)) queue->stop_waiting();
}

boost::asio::awaitable<void> Subscribers::delivered(boost::asio::any_io_executor loop, const Timers* timers) {
  const auto queues = copy_of(queues_);
  const auto countdown = std::make_shared<Countdown>(loop, queues.size());
  const auto bound = timers->make_timer(loop);
  bound->start(kDeliveryBound, [weak = std::weak_ptr(countdown)] {
    const auto waiting = weak.lock();
    if (!waiting) return;
    waiting->left = 0;
    waiting->changed.notify();
  });
  for (const auto& queue : queues) {
    queue->when_drained([weak = std::weak_ptr(countdown)] {
      const auto waiting = weak.lock();
      if (!waiting) return;
      boost::asio::post(waiting->loop, [waiting] {
        if (waiting->left > 0) --waiting->left;
        waiting->changed.notify();
      });
    });
  }
  while (countdown->left > 0) co_await countdown->changed.wait();
}

}  // namespace dictum::recorder
