#pragma once

#include <filesystem>
#include <stop_token>

#include "dictum/config.hpp"
#include "dictum/recorder_backend.hpp"
#include "recorder/redo.hpp"

namespace dictum::api {

/// Finishes a session that a crash, a kill or a deadline left unfinished: recovers its files, transcribes what has no
/// text, and what `redo` says. Blocks until that is done, or `drain_sec` are over (negative: no limit); `on_event` may
/// be empty, and is called on a thread of its own. The only way in which a session on disk is transcribed.
/// Throws RecorderError: session_locked, session_unreadable, transcriber_missing ...; `cancelled` soon after a stop is
/// requested, which leaves the session as a crash would.
void resume_session(const RecorderConfig& config, const std::filesystem::path& session, recorder::Redo redo,
                    EventCallback on_event, double drain_sec = -1, const std::stop_token& stop = {});

}  // namespace dictum::api
