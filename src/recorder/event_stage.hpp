#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "recorder/journal_tail.hpp"
#include "recorder/session_files.hpp"
#include "recorder/session_host.hpp"
#include "recorder/strand_calls.hpp"
#include "recorder/time_source.hpp"

namespace dictum::recorder {

/// Whether the events of a session go to the subscribers.
enum class Visibility { published, in_background };

/// The events of one session on their way: first into its journal, then to the subscribers.
///
/// Threads: lives on the `loop` strand. Owner: the session, as of `files`, which outlives this.
class EventStage {
 public:
  EventStage(std::weak_ptr<SessionHost> host, Visibility visibility, TimeSource time, SessionFiles& files);

  /// Takes an event. One that belongs into the journal is written by the next `write`.
  void push(Event event);
  void write();

  /// The disk has answered a `write`.
  void written(const WrittenEvents& written);

  /// Tries once more what could not be written.
  void retry();

  /// Returns once every event so far has its journal line, and is with the subscribers; not later than subscribers are
  /// waited for where the disk does not answer. `calls` is the session's.
  boost::asio::awaitable<void> journaled(StrandCalls* calls);

  /// The disk does not answer: events are published from memory.
  void disk_is_silent() { tail_.set_blocked(true); }

  /// Waits for the journal no longer.
  void give_up() { publish(tail_.give_up()); }

  /// Whether the disk still has to answer events that are not published.
  bool is_writing() const { return !tail_.is_empty() && files_.is_writing_events(); }

  /// The events that are not in the journal.
  const JournalTail& tail() const { return tail_; }

 private:
  void publish(const std::vector<EventPointer>& events);

  const std::weak_ptr<SessionHost> host_;
  const Visibility visibility_;
  const TimeSource time_;
  SessionFiles& files_;
  JournalTail tail_;
  std::vector<EventPointer> unwritten_;
};

}  // namespace dictum::recorder
