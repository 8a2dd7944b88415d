#include "recorder/revised_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/slug.hpp"
#include "config/note_phrases.hpp"
#include "dictum/text.hpp"
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

/// What the journal says of its notes, and the texts that may change them.
struct Record {
  NoteReplay::LaterTexts later;
  std::vector<ReportedNote> reported;   // in the order of their audio
  std::vector<NoteCompleted> late;      // in their newest revision
  std::map<std::uint32_t, Frame> ends;  // of segments

  explicit Record(const std::vector<Event>& journal);

 private:
  void add(Frame frame, const NoteCompleted& note);
  std::map<std::string, std::size_t> by_path_;
};

Record::Record(const std::vector<Event>& journal) {
  for (const Event& event : journal) {
    if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
      if (complete->revision > 0 && complete->success)
        later[complete->segment_index] = {true, complete->text, complete->phrases, complete->suspect, complete->words};
    } else if (const auto* note = std::get_if<NoteCompleted>(&event.body)) {
      add(event.frame, *note);
    } else if (std::holds_alternative<NoteCancelled>(event.body)) {
      reported.push_back({event.frame, std::nullopt, std::nullopt});
    } else if (const auto* speech = std::get_if<SpeechEnded>(&event.body)) {
      ends[speech->segment_index] = speech->end_frame;
    }
  }
}

void Record::add(Frame frame, const NoteCompleted& note) {
  if (note.late) {
    const auto known = std::ranges::find(late, note.path, &NoteCompleted::path);
    if (known != late.end()) {
      *known = note;
    } else {
      late.push_back(note);
    }
  } else if (note.revision == 0) {
    by_path_[note.path] = reported.size();
    reported.push_back({frame, note, note});
  } else if (const auto found = by_path_.find(note.path); found != by_path_.end()) {
    reported[found->second].newest = note;
  }
}

/// The late note that `note` is a newer form of; null where there is none.
const NoteCompleted* known_late_note(const std::vector<NoteCompleted>& late, const notes::NoteEnded& note) {
  const auto is_same = [&](const NoteCompleted& known) {
    if (known.segments.empty() || note.segments.empty()) return known.title == note.title;
    return std::ranges::any_of(known.segments, [&](std::uint32_t index) {
      return std::ranges::find(note.segments, index) != note.segments.end();
    });
  };
  const auto found = std::ranges::find_if(late, is_same);
  return found == late.end() ? nullptr : &*found;
}

}  // namespace

std::vector<RevisedNote> revised_notes(const std::vector<Event>& journal, const notes::DialogueSettings& settings,
                                       const std::filesystem::path& session) {
  const Record record(journal);
  if (record.later.empty()) return {};
  const auto spoken = notes_of(journal, settings, {});
  std::vector<RevisedNote> changed;
  std::size_t files = record.reported.size() + record.late.size();
  for (const notes::NoteEnded& note : notes_of(journal, settings, record.later)) {
    if (note.cancelled) continue;
    NoteCompleted now{.title = note.title, .text = note.text, .segments = note.segments, .path = {}};
    const auto same = std::ranges::find(spoken, note.start_frame, &notes::NoteEnded::start_frame);
    if (same != spoken.end()) {
      const auto index = static_cast<std::size_t>(same - spoken.begin());
      if (index >= record.reported.size()) continue;
      const ReportedNote& reported = record.reported[index];
      // One that these settings would not have given has other words for another reason: it stays.
      if (!reported.first || !says(*reported.first, *same) || says(*reported.newest, note)) continue;
      now.path = reported.first->path;
      now.revision = reported.newest->revision + 1;
      changed.push_back({reported.frame, std::move(now)});
      continue;
    }
    now.late = true;
    if (const NoteCompleted* known = known_late_note(record.late, note)) {
      if (says(*known, note)) continue;
      now.path = known->path;
      now.revision = known->revision + 1;
    } else {
      now.path = (session / "notes" / fmt::format("{:04}-{}.md", ++files, note_slug(note.title))).string();
    }
    const auto end = note.segments.empty() ? record.ends.end() : record.ends.find(note.segments.back());
    changed.push_back({end == record.ends.end() ? note.end_frame : end->second, std::move(now)});
  }
  return changed;
}

std::vector<RevisedNote> revised_notes(const session::SessionWriter& session, const notes::NotePhrases& phrases) {
  const session::Manifest& manifest = session.manifest();
  if (!manifest.position.has_revised_text) return {};
  const notes::DialogueSettings settings{.sample_rate = manifest.sample_rate, .phrases = phrases};
  if (!session.events().empty()) return revised_notes(session.events(), settings, session.path());
  return revised_notes(journal::read_journal(session.path(), 0, std::numeric_limits<std::uint64_t>::max(),
                                             std::numeric_limits<std::size_t>::max()),
                       settings, session.path());
}

void record_revised_notes(session::SessionWriter& writer, std::chrono::system_clock::time_point now) {
  const double timestamp = timestamp_of(now);
  for (auto& [frame, note] : revised_notes(writer, config::recorded_note_phrases(writer.manifest().config))) {
    writer.record({writer.name(), writer.next_sequence(), timestamp, frame, std::move(note)});
  }
}

}  // namespace dictum::recorder
