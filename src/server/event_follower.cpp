#include "server/event_follower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "journal/event_paths.hpp"
#include "wire/event_json.hpp"

namespace dictum::server {

std::string sse_event(const EventLine& event) {
  if (event.id.empty()) return fmt::format("data: {}\n\n", event.json);
  return fmt::format("id: {}\ndata: {}\n\n", event.id, event.json);
}

std::string websocket_event(const EventLine& event) {
  if (event.id.empty()) return event.json;
  return fmt::format(R"({{"id":"{}",{})", event.id, std::string_view(event.json).substr(1));
}

EventFollower::EventFollower(std::filesystem::path root, EventCursor cursor, std::set<std::string, std::less<>> types)
    : root_(std::move(root)), types_(std::move(types)) {
  for (Position& each : cursor) sessions_.push_back({std::move(each), std::nullopt});
}

void EventFollower::add(std::string session) {
  sessions_.push_back({{std::move(session), 0}, std::nullopt});
}

EventFollower::Piece EventFollower::read() {
  Piece piece;
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (Followed& followed : sessions_) {
    const std::filesystem::path session = root_ / followed.position.session;
    if (!followed.reader) {
      std::error_code ignored;
      if (!std::filesystem::exists(session, ignored) && !ignored) continue;  // deleted: there is nothing to read
      followed.reader.emplace(session);
      if (followed.position.next > 0) followed.reader->seek(followed.position.next);
    }
    while (const auto event = followed.reader->next()) {
      if (!event->sequence || *event->sequence < followed.position.next) continue;
      followed.position.next = *event->sequence + 1;
      if (types_.contains(event->name())) {
        piece.events.push_back({id(), json::to_line(wire::to_json(journal::with_relative_paths(*event, session)))});
        bytes += piece.events.back().id.size() + piece.events.back().json.size();
      }
      if (bytes >= kPiece || ++events == kPieceEvents) return piece;
    }
  }
  piece.is_end = true;
  forget_finished();
  return piece;
}

EventCursor EventFollower::position() const {
  EventCursor position;
  for (const Followed& each : sessions_) position.push_back(each.position);
  return position;
}

std::optional<EventLine> EventFollower::live(const EventFeed::Live& live) const {
  if (!types_.contains(live.name)) return std::nullopt;
  const auto followed = std::ranges::find(sessions_, live.at.session,
                                          [](const Followed& each) -> const auto& { return each.position.session; });
  const bool is_past = followed == sessions_.end() || followed->position.next > live.at.next;
  if (live.is_ephemeral && is_past) return std::nullopt;
  return EventLine{{}, live.json};
}

/// Of a session that has not been reached yet nothing has been read: whoever goes on from here reads it from its start.
std::string EventFollower::id() const {
  EventCursor read;
  for (const Followed& each : sessions_) {
    if (each.position.next > 0) read.push_back(each.position);
  }
  return to_text(read);
}

/// Old sessions do not grow any more, and their journals need not stay open.
void EventFollower::forget_finished() {
  if (sessions_.size() <= EventFeed::kOpenSessions) return;
  sessions_.erase(sessions_.begin(), sessions_.end() - static_cast<std::ptrdiff_t>(EventFeed::kOpenSessions));
}

}  // namespace dictum::server
