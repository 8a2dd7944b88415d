#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dictum/event.hpp"
#include "server/event_cursor.hpp"

namespace dictum::server {

/// What the clients that follow events have in common: which sessions this recorder has begun and how far their
/// journals go, and the few events that no journal has. The journals themselves are the queue of each client, so this
/// takes the same memory whether none lags or a hundred do.
///
/// Thread: the loop's. Owner: the server.
class EventFeed {
  struct Watcher {
    std::function<void()> wake;
    const EventCursor* sent;
  };

 public:
  /// An event without a sequence.
  struct Live {
    std::uint64_t number{};  ///< counts up from 1
    Position at;             ///< what its session's journal had by then
    bool is_ephemeral{};
    std::string name;
    std::string json;
  };

  /// Sessions whose journal may still grow: that many of the newest.
  static constexpr std::size_t kOpenSessions = 4;
  /// Faults that no journal has are kept for clients that lag, so many of the newest.
  static constexpr std::size_t kMaxFaults = 64;

  /// Takes an event of the recorder, in order.
  void take(const Event& event);

  /// Where a client begins that has read up to `after`; without one: behind everything that there is. Sessions of
  /// `after` that this recorder did not begin come first, as they are. Empty where a number alone names no session, as
  /// there is none.
  std::optional<EventCursor> start(const std::optional<EventCursor>& after) const;

  /// Sessions begun, in order.
  const std::vector<Position>& sessions() const { return sessions_; }

  /// Events without a sequence behind the `number`th, in order. Of each ephemeral type there is only the newest.
  std::vector<std::shared_ptr<const Live>> live_since(std::uint64_t number) const;
  std::uint64_t last_live() const { return last_live_; }

  /// Changes with every event.
  std::uint64_t version() const { return version_; }

  /// Calls `wake` after every event and at `close`, until the handle is gone. `sent` is what the watcher has sent so
  /// far; it may be null.
  class Watch {
   public:
    Watch(EventFeed& feed, std::function<void()> wake, const EventCursor* sent = nullptr);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    EventFeed& feed_;
    const std::list<Watcher>::iterator entry_;
  };

  std::size_t watchers() const { return watchers_.size(); }

  /// Events that the watcher which is furthest behind has not sent.
  std::uint64_t lag() const;

  /// No event comes any more.
  void close();
  bool is_closed() const { return is_closed_; }

 private:
  void wake_all();

  std::vector<Position> sessions_;  // `next`: behind the last event
  std::uint64_t version_ = 0;
  std::uint64_t last_live_ = 0;
  std::deque<std::shared_ptr<const Live>> faults_;
  std::array<std::shared_ptr<const Live>, std::variant_size_v<EventBody>> ephemeral_;  // the newest of each type
  std::list<Watcher> watchers_;
  bool is_closed_ = false;
};

/// The names of all types of events, as in JSON. `is_ephemeral` where they are not journaled.
struct EventType {
  std::string_view name;
  bool is_ephemeral{};
};
const std::vector<EventType>& event_types();

}  // namespace dictum::server
