#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/guarded.hpp"
#include "base/timer.hpp"
#include "delivery/event_queue.hpp"
#include "recorder/journal_tail.hpp"

namespace dictum::recorder {

/// Everything that receives the events of one recorder, over all its sessions. Safe from any thread; no callback of a
/// subscriber is called under a lock. Owner: the runtime.
class Subscribers {
 public:
  /// A stop waits no longer for a subscriber.
  static constexpr auto kDeliveryBound = std::chrono::seconds(2);

  void add(std::shared_ptr<delivery::EventQueue> queue);
  bool contains(const detail::EventQueue* queue) const;

  /// Asks each to be ready for a session; throws what it throws.
  void prepare();

  void publish(const EventPointer& event, const delivery::JournalPointer& journal);

  /// Stops waiting for the callbacks that run now.
  void stop_waiting();

  /// Returns when everything published so far has been handled, after two seconds at the latest. On `loop`.
  boost::asio::awaitable<void> delivered(boost::asio::any_io_executor loop, const Timers* timers);

 private:
  Guarded<std::vector<std::shared_ptr<delivery::EventQueue>>> queues_;
};

}  // namespace dictum::recorder
