#include "recorder/journal_tail.hpp"

#include <utility>

namespace dictum::recorder {
namespace {

EventPointer without_sequence(const EventPointer& event) {
  if (!event->sequence) return event;
  auto copy = std::make_shared<Event>(*event);
  copy->sequence.reset();
  return copy;
}

}  // namespace

EventPointer JournalTail::push(EventPointer event, Time now) {
  if (given_up_) return without_sequence(event);
  if (event->is_ephemeral()) {
    if (events_.empty()) return event;
    if (!merge(event)) events_.push_back({std::move(event), now});
    return nullptr;
  }
  const bool waits = blocked_ || (!events_.empty() && now - events_.front().since >= kMaxFaultDelay);
  EventPointer at_once =
      waits && std::holds_alternative<RecorderFault>(event->body) ? without_sequence(event) : nullptr;
  events_.push_back({std::move(event), now});
  ++journaled_;
  return at_once;
}

/// Of each kind of ephemeral event, only the newest waits behind an event that is delivered for good.
bool JournalTail::merge(const EventPointer& event) {
  for (auto entry = events_.rbegin(); entry != events_.rend() && entry->event->is_ephemeral(); ++entry) {
    if (entry->event->body.index() != event->body.index()) continue;
    entry->event = event;
    return true;
  }
  return false;
}

std::vector<EventPointer> JournalTail::written(std::size_t count) {
  std::vector<EventPointer> released;
  while (!events_.empty() && (count > 0 || events_.front().event->is_ephemeral())) {
    if (!events_.front().event->is_ephemeral()) {
      --count;
      --journaled_;
    }
    released.push_back(std::move(events_.front().event));
    events_.pop_front();
  }
  return released;
}

std::vector<EventPointer> JournalTail::give_up() {
  given_up_ = true;
  std::vector<EventPointer> released;
  for (Entry& entry : std::exchange(events_, {})) released.push_back(without_sequence(entry.event));
  journaled_ = 0;
  return released;
}

}  // namespace dictum::recorder
