#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "dictum/event.hpp"

namespace dictum::test {

/// Collects events from any thread, and waits for one of them, with a deadline.
class EventLog {
 public:
  void add(const Event& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }

  std::vector<Event> all() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  /// Whether the condition came to hold within the deadline.
  bool wait(const std::function<bool(const std::vector<Event>&)>& holds,
            std::chrono::milliseconds deadline = std::chrono::seconds(20)) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return holds(events_); });
  }

  bool wait_for_state(RecordingState state) const {
    return wait([state](const std::vector<Event>& events) {
      for (const Event& event : events) {
        const auto* changed = std::get_if<RecordingStateChanged>(&event.body);
        if (changed != nullptr && changed->state == state) return true;
      }
      return false;
    });
  }

  template <class Body>
  bool wait_for(std::size_t count = 1) const {
    return wait([count](const std::vector<Event>& events) { return bodies_of<Body>(events).size() >= count; });
  }

  template <class Body>
  std::vector<Body> bodies() const {
    return bodies_of<Body>(all());
  }

 private:
  template <class Body>
  static std::vector<Body> bodies_of(const std::vector<Event>& events) {
    std::vector<Body> found;
    for (const Event& event : events) {
      if (const auto* body = std::get_if<Body>(&event.body)) found.push_back(*body);
    }
    return found;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Event> events_;
};

}  // namespace dictum::test
