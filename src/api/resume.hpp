#pragma once

#include <filesystem>

#include "dictum/config.hpp"
#include "dictum/recorder_backend.hpp"
#include "recorder/redo.hpp"

namespace dictum::api {

/// Finishes a session that a crash, a kill or a deadline left unfinished: recovers its files, transcribes what has no
/// text, and what `redo` says. Blocks until that is done, or `drain_sec` are over (negative: no limit); `on_event` is
/// called on a thread of its own. Throws RecorderError: session_locked, session_unreadable, transcriber_missing ...
void resume_session(const RecorderConfig& config, const std::filesystem::path& session, recorder::Redo redo,
                    EventCallback on_event, double drain_sec = -1);

}  // namespace dictum::api
