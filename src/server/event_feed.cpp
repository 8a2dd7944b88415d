#include "server/event_feed.hpp"

#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "wire/event_json.hpp"

namespace dictum::server {

void EventFeed::take(const Event& event) {
  auto session = std::ranges::find(sessions_, event.session, &Position::session);
  if (session == sessions_.end()) session = sessions_.insert(session, {event.session, 0});
  if (event.sequence) {
    session->next = *event.sequence + 1;
  } else {
    auto live = std::make_shared<const Live>(++last_live_, *session, event.is_ephemeral(), std::string(event.name()),
                                             json::to_line(wire::to_json(event)));
    if (event.is_ephemeral()) {
      ephemeral_.at(event.body.index()) = std::move(live);
    } else {
      faults_.push_back(std::move(live));
      if (faults_.size() > kMaxFaults) faults_.pop_front();
    }
  }
  ++version_;
  wake_all();
}

std::optional<EventCursor> EventFeed::start(const std::optional<EventCursor>& after) const {
  const std::size_t open = std::min(sessions_.size(), kOpenSessions);
  EventCursor ends(sessions_.end() - static_cast<std::ptrdiff_t>(open), sessions_.end());
  if (!after) return ends;
  if (after->size() == 1 && after->front().session.empty()) {
    const std::uint64_t next = after->front().next;
    EventCursor cursor = ends;
    if (cursor.empty()) return next == 0 ? std::optional(cursor) : std::nullopt;
    cursor.back().next = next;
    return cursor;
  }
  EventCursor cursor;
  std::vector<const Position*> known(sessions_.size());
  std::size_t unread = 0;  // the first session behind all that `after` names
  for (const Position& each : *after) {
    const auto mine = std::ranges::find(sessions_, each.session, &Position::session);
    if (mine == sessions_.end()) {
      cursor.push_back(each);
    } else {
      const auto at = static_cast<std::size_t>(mine - sessions_.begin());
      known.at(at) = &each;
      unread = std::max(unread, at + 1);
    }
  }
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    if (known.at(i) != nullptr) cursor.push_back(*known.at(i));
    if (i >= unread) cursor.push_back({sessions_.at(i).session, 0});
  }
  return cursor;
}

std::vector<std::shared_ptr<const EventFeed::Live>> EventFeed::live_since(std::uint64_t number) const {
  std::vector<std::shared_ptr<const Live>> found;
  const auto add = [&](const std::shared_ptr<const Live>& live) {
    if (live && live->number > number) found.push_back(live);
  };
  std::ranges::for_each(faults_, add);
  std::ranges::for_each(ephemeral_, add);
  std::ranges::sort(found, {}, [](const auto& live) { return live->number; });
  return found;
}

EventFeed::Watch::Watch(EventFeed& feed, std::function<void()> wake, const EventCursor* sent)
    : feed_(feed), entry_(feed.watchers_.insert(feed.watchers_.end(), {std::move(wake), sent})) {}

EventFeed::Watch::~Watch() {
  feed_.watchers_.erase(entry_);
}

void EventFeed::close() {
  is_closed_ = true;
  wake_all();
}

void EventFeed::wake_all() {
  for (const Watcher& watcher : watchers_) watcher.wake();
}

std::uint64_t EventFeed::lag() const {
  std::uint64_t most = 0;
  for (const Watcher& watcher : watchers_) {
    if (watcher.sent == nullptr) continue;
    std::uint64_t behind = 0;
    for (const Position& each : *watcher.sent) {
      const auto mine = std::ranges::find(sessions_, each.session, &Position::session);
      if (mine != sessions_.end() && mine->next > each.next) behind += mine->next - each.next;
    }
    most = std::max(most, behind);
  }
  return most;
}

const std::vector<EventType>& event_types() {
  static const std::vector<EventType> types = []<std::size_t... index>(std::index_sequence<index...>) {
    std::vector<EventType> all;
    const auto add = [&](const Event& event) { all.push_back({event.name(), event.is_ephemeral()}); };
    (add(Event{.session = {}, .sequence = {}, .body = std::variant_alternative_t<index, EventBody>{}}), ...);
    return all;
  }(std::make_index_sequence<std::variant_size_v<EventBody>>());
  return types;
}

}  // namespace dictum::server
