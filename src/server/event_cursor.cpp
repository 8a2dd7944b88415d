#include "server/event_cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "journal/session_directory.hpp"
#include "server/number.hpp"

namespace dictum::server {
namespace {

constexpr std::size_t kMaxSessions = 16;  // in a cursor from outside

/// The sequence behind one that was read.
std::optional<std::uint64_t> parse_next(std::string_view read) {
  if (read == "-1") return 0;
  const auto sequence = parse_number(read);
  if (!sequence || *sequence >= std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return *sequence + 1;
}

}  // namespace

std::string to_text(const EventCursor& cursor) {
  std::string text;
  for (const Position& each : cursor) {
    if (!text.empty()) text += ',';
    text += each.next == 0 ? fmt::format("{}/-1", each.session) : fmt::format("{}/{}", each.session, each.next - 1);
  }
  return text;
}

std::optional<EventCursor> parse_event_cursor(std::string_view text) {
  if (const auto next = parse_next(text)) return EventCursor{{"", *next}};
  EventCursor cursor;
  for (bool is_last = false; !is_last;) {
    const std::size_t end = std::min(text.find(','), text.size());
    is_last = end == text.size();
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(is_last ? end : end + 1);
    const std::size_t slash = one.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view session = one.substr(0, slash);
    const auto next = parse_next(one.substr(slash + 1));
    const auto same = std::ranges::find(cursor, session, &Position::session);
    if (!next || !journal::is_session_name(session) || same != cursor.end() || cursor.size() == kMaxSessions) {
      return std::nullopt;
    }
    cursor.push_back({std::string(session), *next});
  }
  return cursor;
}

}  // namespace dictum::server
