#pragma once

#include <vector>

#include "dictum/event.hpp"
#include "journal/session_folder.hpp"
#include "session/manifest.hpp"

namespace dictum::session {

/// What a manifest said besides the fold of the journal, where it is lost: found out from the events, the sound files
/// and the name of the folder. The fold is empty. What nothing else states (source, configuration) stays empty. Never
/// throws RecorderError.
Manifest rebuilt_manifest(const journal::SessionFolder& folder, const std::vector<Event>& events);

}  // namespace dictum::session
