#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "dictum/detail/engine.hpp"

namespace dictum::delivery {

/// An event on its way to its readers. Shared, never changed: the recorder has it until its journal line is written,
/// each subscriber until it is handled.
using EventPointer = std::shared_ptr<const Event>;

/// Where the events of a session can be read again, and how far they have been written.
struct JournalView {
  Guarded<std::filesystem::path> session;  // somebody may move the folder
  std::atomic<std::uint64_t> written{0};   // events with a smaller sequence are in the file
};

/// Shared by the session that writes the journal and the subscribers that read it, also once the session has ended.
using JournalPointer = std::shared_ptr<JournalView>;

/// The events that wait for one subscriber, in bounded memory: what does not fit is a range of the journal, read again
/// when its turn comes. Ephemeral events give way: of each kind only the newest waits.
///
/// Threads: `push` and `prepare` from the loop strand, the rest from the consumer's side, `when_drained` from anywhere;
/// one mutex, held for a few moves and never around a callback. Owner: shared by the hub and the consumer.
class EventQueue final : public detail::EventQueue, public std::enable_shared_from_this<EventQueue> {
 public:
  /// Does work where reading a file blocks nothing else; false where there is no such place (any longer).
  using Elsewhere = std::function<bool(std::function<void()>)>;

  /// Events kept in memory for a subscriber that is busy.
  static constexpr std::size_t kTail = 512;

  EventQueue(EventFilter filter, detail::EventConsumer consumer, Elsewhere elsewhere,
             detail::UniqueFunction<void(const std::string&)> on_throw);

  /// Asks the consumer to be ready for a session; throws what it throws.
  void prepare();

  void push(const EventPointer& event, const JournalPointer& journal);

  /// Calls `done` once everything pushed so far has been handled: at once, or from the consumer's thread. At once too
  /// where the consumer polls.
  void when_drained(detail::UniqueFunction<void()> done);

  /// The consumer's callback itself waits for the recorder: `when_drained` does not wait for it until it has returned.
  void stop_waiting();

  bool is_closed() const;

  std::optional<Event> next() override;
  void handled() override;
  void callback_threw(const std::string& what) override;
  void close() override;

 private:
  struct Range {  // of a journal
    JournalPointer journal;
    std::uint64_t first{};
    std::uint64_t last{};
    std::uint64_t events{};  // wanted ones in it
  };
  struct Entry {
    EventPointer event;  // null: the range
    Range range;
  };
  struct Waiter {
    std::uint64_t count;
    detail::UniqueFunction<void()> done;
  };

  bool merge_ephemeral(const EventPointer& event);
  void spill();
  void read_range(Range range);
  void wake();
  std::vector<Waiter> due_waiters();

  const EventFilter filter_;
  detail::EventConsumer consumer_;
  const Elsewhere elsewhere_;
  detail::UniqueFunction<void(const std::string&)> on_throw_;

  mutable std::mutex mutex_;
  std::mutex waking_;  // held around the consumer's functions, so that close() can promise that they are over
  std::deque<Entry> entries_;
  std::weak_ptr<JournalView> newest_journal_;
  std::uint64_t newest_sequence_ = 0;  // in it
  std::uint64_t pushed_ = 0;
  std::uint64_t handled_ = 0;
  std::deque<Event> read_back_;  // in front of entries_
  bool reading_ = false;         // a range is being read elsewhere
  bool asleep_ = true;           // the consumer found nothing and waits to be woken
  bool closed_ = false;
  bool has_stopped_waiting_ = false;
  std::vector<Waiter> waiters_;
};

}  // namespace dictum::delivery
