#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "server/event_feed.hpp"
#include "server/event_follower.hpp"

namespace dictum::server {

/// Sends one client the events of a feed, at the client's pace: the journals are the queue, so what it has not taken
/// yet is on disk, and one piece of it in memory.
///
/// Thread: the loop's; journals are read on the pool. Owner: the client's connection.
class EventPump {
 public:
  /// Sends events, or a sign of life where there are none; false where the client is gone.
  using Send = std::function<boost::asio::awaitable<bool>(std::span<const EventLine>)>;

  /// From now on: what begins behind this is not missed. `cursor` is what the feed's `start` has given.
  EventPump(boost::asio::any_io_executor executor, EventFeed& feed, EventFollower follower,
            boost::asio::thread_pool& pool, std::chrono::milliseconds heartbeat);
  EventPump(const EventPump&) = delete;
  EventPump& operator=(const EventPump&) = delete;

  /// Reaches the pump, wherever it waits, and outlives it.
  class Handle {
   public:
    /// Ends it before the next event.
    void stop() const;

    /// Makes it call `send` soon, though there may be no event.
    void wake() const;

   private:
    friend EventPump;
    struct State;
    explicit Handle(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };
  Handle handle() const { return Handle(state_); }

  /// Runs until the feed is closed and everything is sent, until it is stopped, or `send` returns false. True in the
  /// first case.
  boost::asio::awaitable<bool> run(Send send);

 private:
  EventFeed& feed_;
  EventFollower follower_;
  boost::asio::thread_pool& pool_;
  const std::chrono::milliseconds heartbeat_;
  const std::shared_ptr<Handle::State> state_;
  std::size_t known_;   // sessions of the feed that the follower has
  EventCursor sent_;    // how far the client has been sent what there is
  std::uint64_t live_;  // the newest event without a sequence that was looked at
};

}  // namespace dictum::server
