#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "dictum/error.hpp"
#include "dictum/export.hpp"
#include "dictum/frame.hpp"
#include "dictum/sessions.hpp"

namespace dictum {

/// What of a session is played, and what is notified.
struct PlayRequest {
  Frame from = 0;
  std::optional<std::uint32_t> only{};  ///< the index of the only segment to play

  /// Called as a segment begins to play, with the frame at which it does. May be empty.
  std::function<void(const TranscriptSegment&, Frame start)> on_segment{};

  /// Called for a segment whose audio cannot be read; the next one follows. Empty: `play_session` throws instead.
  std::function<void(const RecorderError&)> on_missing{};
};

/// Plays the kept audio of a session through the default output, with at most a second of each pause between segments.
/// Blocks until all was played or a stop is requested; false where there is nothing from `from` on.
///
/// Errors: RecorderError where no sound server can be reached or it makes no progress within three seconds;
/// `session_unreadable` for a session whose files are not recordings of Dictum.
///
/// Thread safety: any thread, which blocks and on which the callbacks run; several sessions may play at once.
DICTUM_API bool play_session(const SessionTranscript& session, const PlayRequest& request, std::stop_token stop = {});

}  // namespace dictum
