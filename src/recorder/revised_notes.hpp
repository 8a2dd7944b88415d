#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "dictum/event.hpp"
#include "notes/note_dialogue.hpp"
#include "session/session_writer.hpp"

/// Notes follow their segments' texts, which another pass or a person may have revised.
namespace dictum::recorder {

/// A note as the newest texts have it, and its place on the clock.
struct RevisedNote {
  Frame frame{};
  NoteCompleted note;
};

/// The completed notes that the newest texts give other words than those reported last, and those that nothing
/// was reported of, since the texts that they begin with had failed: `late` ones, with files in `session`. Otherwise,
/// which notes there are, and where, stays as it was spoken.
std::vector<RevisedNote> revised_notes(const std::vector<Event>& journal, const notes::DialogueSettings& settings,
                                       const std::filesystem::path& session);

/// The same for the journal of a session.
std::vector<RevisedNote> revised_notes(const session::SessionWriter& session, const notes::NotePhrases& phrases);

/// Records them, in a session that nobody is recording. Throws what SessionWriter::record throws.
void record_revised_notes(session::SessionWriter& writer, std::chrono::system_clock::time_point now);

}  // namespace dictum::recorder
