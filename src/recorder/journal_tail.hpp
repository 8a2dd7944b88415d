#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "delivery/event_queue.hpp"
#include "dictum/event.hpp"

namespace dictum::recorder {

using delivery::EventPointer;

/// The events that are delivered once their journal lines are written, in their order, with the ephemeral ones between
/// them. Where the journal is given up, events are delivered from memory, without a sequence: so a sequence that
/// anybody has seen names the same event for ever.
///
/// Threads: none of its own; lives on the `loop` strand. No file, no clock. Owner: the session.
class JournalTail {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// More events than this do not wait: the journal cannot be written for hours.
  static constexpr std::size_t kMaxEvents = 16384;
  /// A fault that has waited this long behind others is delivered from memory.
  static constexpr auto kMaxFaultDelay = std::chrono::milliseconds(500);

  /// Takes an event. Returns what is to be published now: an ephemeral event that waits for nothing; a fault, without
  /// its sequence, where the journal cannot be written; everything, once the journal was given up.
  EventPointer push(EventPointer event, Time now);

  /// The oldest `count` events that belong into the journal are in it. Returns what is to be published now.
  std::vector<EventPointer> written(std::size_t count);

  /// Whether a line could not be written, when it was last tried.
  void set_blocked(bool blocked) { blocked_ = blocked; }
  bool is_blocked() const { return blocked_; }

  /// Waits for the journal no longer, now and from now on. Returns what is to be published now.
  std::vector<EventPointer> give_up();

  bool is_empty() const { return events_.empty(); }
  bool is_full() const { return journaled_ >= kMaxEvents; }

  /// Events that wait for the journal.
  std::size_t size() const { return journaled_; }

 private:
  struct Entry {
    EventPointer event;
    Time since;
  };

  bool merge(const EventPointer& event);

  std::deque<Entry> events_;
  std::size_t journaled_ = 0;  // of them, so many belong into the journal
  bool blocked_ = false;
  bool given_up_ = false;
};

}  // namespace dictum::recorder
