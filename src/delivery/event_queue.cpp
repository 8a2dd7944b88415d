#include "delivery/event_queue.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/invariant.hpp"
#include "journal/journal_reader.hpp"

namespace dictum::detail {
namespace {
thread_local EventQueue* current = nullptr;
}

EventQueue* current_delivery() noexcept {
  return current;
}
DeliveryScope::DeliveryScope(EventQueue* queue) noexcept : outer_(std::exchange(current, queue)) {}
DeliveryScope::~DeliveryScope() {
  current = outer_;
}

}  // namespace dictum::detail

namespace dictum::delivery {
namespace {

constexpr std::size_t kReadBack = 64;                       // events read from the journal at once
constexpr std::size_t kHardLimit = 16 * EventQueue::kTail;  // where even the journal cannot be written

}  // namespace

EventQueue::EventQueue(EventFilter filter, detail::EventConsumer consumer, Elsewhere elsewhere,
                       detail::UniqueFunction<void(const std::string&)> on_throw)
    : filter_(filter),
      consumer_(std::move(consumer)),
      elsewhere_(std::move(elsewhere)),
      on_throw_(std::move(on_throw)) {}

void EventQueue::prepare() {
  const std::lock_guard waking(waking_);
  if (consumer_.prepare) consumer_.prepare();
}

void EventQueue::push(const EventPointer& event, const JournalPointer& journal) {
  if (!filter_.wants(*event)) return;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (event->is_ephemeral() && merge_ephemeral(event)) return;
    if (event->sequence) {
      const bool follows = newest_journal_.lock() != journal || *event->sequence > newest_sequence_;
      newest_journal_ = journal;
      newest_sequence_ = *event->sequence;
      invariant(follows, "events are delivered in order of their numbers");
    }
    entries_.push_back({event, {journal, 0, 0}});
    ++pushed_;
    if (entries_.size() > kTail) spill();
    if (reading_ || !std::exchange(asleep_, false)) return;  // what comes first is still being read
  }
  wake();
}

void EventQueue::wake() {
  const std::lock_guard waking(waking_);
  if (consumer_.wake) consumer_.wake();
}

bool EventQueue::merge_ephemeral(const EventPointer& event) {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (!entry->event || !entry->event->is_ephemeral()) return false;  // order with the recorded events is kept
    if (entry->event->body.index() != event->body.index()) continue;
    entry->event = event;
    return true;
  }
  return false;
}

void EventQueue::spill() {
  std::deque<Entry> kept;
  std::size_t in_memory = 0;
  const auto newest_for_good = std::ranges::find_if(
      entries_.rbegin(), entries_.rend(), [](const Entry& entry) { return !entry.event || entry.event->sequence; });
  const auto behind_it = newest_for_good.base();
  for (auto each = entries_.begin(); each != entries_.end(); ++each) {
    Entry& entry = *each;
    if (each < behind_it && entry.event && entry.event->is_ephemeral()) {
      ++handled_;  // dropped: newer events have superseded it, and between two ranges it would keep them apart
      continue;
    }
    if (entry.event && entry.event->sequence && entry.range.journal &&
        *entry.event->sequence < entry.range.journal->written.load()) {
      const std::uint64_t sequence = *entry.event->sequence;
      if (!kept.empty() && !kept.back().event && kept.back().range.journal == entry.range.journal) {
        kept.back().range.last = sequence;
        ++kept.back().range.events;
      } else {
        kept.push_back({nullptr, {entry.range.journal, sequence, sequence, 1}});
      }
      continue;
    }
    if (entry.event) ++in_memory;
    kept.push_back(std::move(entry));
  }
  entries_ = std::move(kept);
  while (in_memory > kHardLimit) {  // the journal is not being written: its own RecorderFault has said so
    const auto oldest = std::ranges::find_if(entries_, [](const Entry& entry) { return entry.event != nullptr; });
    entries_.erase(oldest);
    --in_memory;
    ++handled_;
  }
}

void EventQueue::when_drained(detail::UniqueFunction<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!consumer_.is_polled && !closed_ && !has_stopped_waiting_ && handled_ < pushed_) {
      waiters_.push_back({pushed_, std::move(done)});
      return;
    }
  }
  done();
}

void EventQueue::stop_waiting() {
  std::vector<Waiter> due;
  {
    const std::lock_guard lock(mutex_);
    has_stopped_waiting_ = true;
    due = due_waiters();
  }
  for (Waiter& waiter : due) waiter.done();
}

bool EventQueue::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::optional<Event> EventQueue::next() {
  for (;;) {
    Range range;
    {
      const std::lock_guard lock(mutex_);
      if (!closed_ && !read_back_.empty()) {
        Event event = std::move(read_back_.front());
        read_back_.pop_front();
        return event;
      }
      if (closed_ || reading_ || entries_.empty()) {
        asleep_ = true;
        return std::nullopt;
      }
      Entry entry = std::move(entries_.front());
      entries_.pop_front();
      if (entry.event) return *entry.event;
      range = std::move(entry.range);
      reading_ = asleep_ = !consumer_.may_block;
    }
    const bool is_read_elsewhere = !consumer_.may_block && elsewhere_([self = shared_from_this(), range] {
      self->read_range(range);
      self->wake();  // it waits since `next` returned, or is about to
    });
    if (is_read_elsewhere) return std::nullopt;
    read_range(range);  // also where the recorder and its threads are gone
  }
}

void EventQueue::read_range(Range range) {
  std::vector<Event> events;
  try {
    const std::filesystem::path session = *range.journal->session.lock();
    events = journal::read_journal(session, range.first, range.last, kReadBack);
  } catch (const RecorderError&) {  // as if the folder were gone
  }
  const std::lock_guard lock(mutex_);
  reading_ = asleep_ = false;
  std::uint64_t found = 0;
  for (Event& event : events) {
    range.first = *event.sequence + 1;
    if (!filter_.wants(event)) continue;
    ++found;
    read_back_.push_back(std::move(event));
  }
  range.events -= std::min(range.events, found);
  if (!events.empty() && range.first <= range.last) {
    entries_.push_front({nullptr, std::move(range)});
  } else {
    handled_ +=
        range.events;  // left only where somebody removed the session's folder: what is gone cannot be delivered
  }
}

void EventQueue::handled() {
  std::vector<Waiter> due;
  {
    const std::lock_guard lock(mutex_);
    ++handled_;
    has_stopped_waiting_ = false;
    due = due_waiters();
  }
  for (Waiter& waiter : due) waiter.done();
}

std::vector<EventQueue::Waiter> EventQueue::due_waiters() {
  std::vector<Waiter> due;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (closed_ || has_stopped_waiting_ || waiter->count <= handled_) {
      due.push_back(std::move(*waiter));
      waiter = waiters_.erase(waiter);
    } else {
      ++waiter;
    }
  }
  return due;
}

void EventQueue::callback_threw(const std::string& what) {
  on_throw_(what);
}

void EventQueue::close() {
  std::vector<Waiter> due;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    entries_.clear();
    read_back_.clear();
    due = due_waiters();
  }
  for (Waiter& waiter : due) waiter.done();
  const std::lock_guard waking(waking_);
  consumer_.wake = nullptr;
  consumer_.prepare = nullptr;
}

}  // namespace dictum::delivery
