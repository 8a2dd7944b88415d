#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::server {

/// How far a client has read one session's journal.
struct Position {
  std::string session;
  std::uint64_t next{};  ///< the sequence that it reads next
  bool operator==(const Position&) const = default;
};

/// How far a client has read, in order of the sessions. Several sessions, since texts of one may come while the next is
/// being recorded. As text, which is the id of an event: "20261122_154501/7,20261122_160000/2", each number the last
/// sequence that was read.
using EventCursor = std::vector<Position>;

std::string to_text(const EventCursor& cursor);

/// Reads what `to_text` writes, or one number alone, the last sequence that was read of the newest session, whose name
/// is empty then; -1 stands for nothing read. Empty where the text is something else. Any thread; no state.
std::optional<EventCursor> parse_event_cursor(std::string_view text);

}  // namespace dictum::server
