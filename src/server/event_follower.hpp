#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal_reader.hpp"
#include "server/event_cursor.hpp"
#include "server/event_feed.hpp"

namespace dictum::server {

/// An event as clients get it. `json` is one line; without an `id` the client's place stays as it is.
struct EventLine {
  std::string id;
  std::string json;
};

/// One event of a stream of Server-Sent Events.
std::string sse_event(const EventLine& event);

/// One event as a message of a WebSocket: the same object, with the `id` as its first member.
std::string websocket_event(const EventLine& event);

/// A line that clients of a stream pass over: that the connection is alive.
inline constexpr std::string_view kHeartbeat = ":\n\n";

/// What one client has read, and reads next, of the journals: in order of the sessions, each event once. Events are as
/// in the journal, their paths relative to the session.
///
/// Threads: any, one at a time; `read` blocks on files. Owner: the client's connection.
class EventFollower {
 public:
  /// About so many bytes are read at once; one event may be longer.
  static constexpr std::size_t kPiece = std::size_t{32} << 10;
  /// So many events are read at once where few of them are wanted.
  static constexpr std::size_t kPieceEvents = 1000;

  /// Sends events of these `types`, by their names.
  EventFollower(std::filesystem::path root, EventCursor cursor, std::set<std::string, std::less<>> types);

  /// A session that has begun since.
  void add(std::string session);

  struct Piece {
    std::vector<EventLine> events;
    bool is_end = false;  ///< there is no more just now
  };

  /// Reads on. Sessions that were deleted are passed over. Throws RecorderError(session_unreadable) for a journal that
  /// cannot be opened.
  Piece read();

  /// How far each session has been read that is followed.
  EventCursor position() const;

  /// An event that no journal has; empty where the client does not want it, or has read past it.
  std::optional<EventLine> live(const EventFeed::Live& live) const;

 private:
  struct Followed {
    Position position;
    std::optional<journal::JournalReader> reader;
  };

  std::string id() const;
  void forget_finished();

  const std::filesystem::path root_;
  const std::set<std::string, std::less<>> types_;
  std::vector<Followed> sessions_;
};

}  // namespace dictum::server
