#pragma once

#include <filesystem>
#include <string>

#include "dictum/event.hpp"
#include "session/manifest.hpp"

namespace dictum::session {

/// A note as Markdown: front matter (YAML: title, session, start, duration_sec, segments, audio) and then the title and
/// the body, in which nothing that was said counts as markup. `manifest` says when the note's segments were spoken;
/// links are relative to the notes' folder.
std::string note_markdown(const Manifest& manifest, const Event& event, const NoteCompleted& note);

/// Where the file of a note is kept once a later revision has taken its place: "notes/0001-list.md" of revision 0
/// becomes "notes/0001-list.0.md".
std::filesystem::path former_note_path(const std::filesystem::path& path, int revision);

}  // namespace dictum::session
