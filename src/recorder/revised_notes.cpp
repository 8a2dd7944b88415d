#include "recorder/revised_notes.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "config/note_phrases.hpp"
#include "journal/journal_reader.hpp"
#include "recorder/note_replay.hpp"

namespace dictum::recorder {
namespace {

std::vector<notes::NoteEnded> notes_of(const std::vector<Event>& journal, const notes::DialogueSettings& settings,
                                       const NoteReplay::LaterTexts& later) {
  notes::NoteDialogue dialogue(settings);
  NoteReplay replay(dialogue, later);
  std::vector<notes::Output> outputs;
  for (const Event& event : journal) replay.apply(event, outputs);
  replay.end(outputs);
  std::vector<notes::NoteEnded> notes;
  for (notes::Output& output : outputs) {
    if (auto* ended = std::get_if<notes::NoteEnded>(&output)) notes.push_back(std::move(*ended));
  }
  return notes;
}

bool says(const NoteCompleted& reported, const notes::NoteEnded& note) {
  return !note.cancelled && reported.title == note.title && reported.text == note.text &&
         reported.segments == note.segments;
}

/// A note in the journal; a cancelled one has no text of its own any more.
struct ReportedNote {
  Frame frame{};
  std::optional<NoteCompleted> first;
  std::optional<NoteCompleted> newest;
};

}  // namespace

std::vector<RevisedNote> revised_notes(const std::vector<Event>& journal, const notes::DialogueSettings& settings) {
  NoteReplay::LaterTexts later;
  std::vector<ReportedNote> reported;
  std::map<std::string, std::size_t> by_path;
  for (const Event& event : journal) {
    if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
      if (complete->revision > 0 && complete->success)
        later[complete->segment_index] = {true, complete->text, complete->phrases, complete->suspect};
    } else if (const auto* note = std::get_if<NoteCompleted>(&event.body)) {
      if (note->revision == 0) {
        by_path[note->path] = reported.size();
        reported.push_back({event.frame, *note, *note});
      } else if (const auto found = by_path.find(note->path); found != by_path.end()) {
        reported[found->second].newest = *note;
      }
    } else if (std::holds_alternative<NoteCancelled>(event.body)) {
      reported.push_back({event.frame, std::nullopt, std::nullopt});
    }
  }
  if (later.empty() || by_path.empty()) return {};

  const auto spoken = notes_of(journal, settings, {});
  const auto revised = notes_of(journal, settings, later);
  std::vector<RevisedNote> changed;
  for (std::size_t i = 0; i < std::min({reported.size(), spoken.size(), revised.size()}); ++i) {
    const ReportedNote& note = reported[i];
    // One that these settings would not have given has other words for another reason: it stays.
    if (!note.first || !says(*note.first, spoken[i]) || revised[i].cancelled || says(*note.newest, revised[i]))
      continue;
    changed.push_back({note.frame,
                       {.title = revised[i].title,
                        .text = revised[i].text,
                        .segments = revised[i].segments,
                        .path = note.first->path,
                        .revision = note.newest->revision + 1}});
  }
  return changed;
}

std::vector<RevisedNote> revised_notes(const session::SessionWriter& session, const notes::NotePhrases& phrases) {
  const session::Manifest& manifest = session.manifest();
  if (!manifest.position.has_revised_text || manifest.notes.empty()) return {};
  const notes::DialogueSettings settings{.sample_rate = manifest.sample_rate, .phrases = phrases};
  if (!session.events().empty()) return revised_notes(session.events(), settings);
  return revised_notes(journal::read_journal(session.path(), 0, std::numeric_limits<std::uint64_t>::max(),
                                             std::numeric_limits<std::size_t>::max()),
                       settings);
}

void record_revised_notes(session::SessionWriter& writer, std::chrono::system_clock::time_point now) {
  const double timestamp = std::chrono::duration<double>(now.time_since_epoch()).count();
  for (auto& [frame, note] : revised_notes(writer, config::recorded_note_phrases(writer.manifest().config))) {
    writer.record({writer.name(), writer.next_sequence(), timestamp, frame, std::move(note)});
  }
}

}  // namespace dictum::recorder
