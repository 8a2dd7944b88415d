#include "server/event_follower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "journal/event_paths.hpp"
#include "wire/event_json.hpp"

namespace dictum::server {

std::string sse_event(std::string_view id, std::string_view json) {
  return id.empty() ? fmt::format("data: {}\n\n", json) : fmt::format("id: {}\ndata: {}\n\n", id, json);
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
        piece.text += sse_event(id(), json::to_line(wire::to_json(journal::with_relative_paths(*event, session))));
      }
      if (piece.text.size() >= kPiece || ++events == kPieceEvents) return piece;
    }
  }
  piece.is_end = true;
  forget_finished();
  return piece;
}

std::string EventFollower::live(const EventFeed::Live& live) const {
  if (!types_.contains(live.name)) return {};
  const auto followed = std::ranges::find(sessions_, live.at.session,
                                          [](const Followed& each) -> const auto& { return each.position.session; });
  const bool is_past = followed == sessions_.end() || followed->position.next > live.at.next;
  return live.is_ephemeral && is_past ? "" : sse_event({}, live.json);
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
