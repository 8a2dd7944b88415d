#pragma once

#include <string>

#include "dictum/event.hpp"
#include "session/manifest.hpp"

namespace dictum::session {

/// A note as Markdown: front matter (YAML: title, session, start, duration_sec, segments, audio) and then the title and
/// the body, in which nothing that was said counts as markup. `manifest` tells when the note's segments were spoken;
/// links are relative to the notes' folder.
std::string note_markdown(const Manifest& manifest, const Event& event, const NoteCompleted& note);

}  // namespace dictum::session
