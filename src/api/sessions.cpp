#include "dictum/sessions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "api/resume.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "journal/event_paths.hpp"
#include "journal/layout.hpp"
#include "journal/session_directory.hpp"
#include "recorder/revised_notes.hpp"
#include "session/exporter.hpp"
#include "session/index.hpp"
#include "session/library.hpp"
#include "session/new_file.hpp"
#include "session/revision.hpp"
#include "session/session_writer.hpp"
#include "session/verification.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;

SegmentState state_of(session::SegmentStatus status) {
  constexpr std::array kStates = {SegmentState::recording, SegmentState::queued, SegmentState::done,
                                  SegmentState::failed, SegmentState::skipped};
  return kStates.at(static_cast<std::size_t>(status));
}

SessionNote note_of(const session::Manifest& manifest, const session::Note& note, const fs::path& path) {
  SessionNote made{note.title, {}, {}, note.segments, manifest.started_at};
  if (journal::is_inside(note.path)) made.file = path / note.path;
  for (bool is_first = true; const std::uint32_t index : note.segments) {
    const session::Segment* const segment = manifest.find(index);
    if (segment == nullptr) continue;
    if (std::exchange(is_first, false)) made.said_at = manifest.time_of_frame(segment->speech_start_frame);
    if (!segment->text.empty()) made.text += (made.text.empty() ? "" : " ") + segment->text;
  }
  return made;
}

SessionEntry entry_of(const session::ListedSession& listed) {
  SessionEntry entry;
  entry.path = listed.path;
  entry.name = listed.name;
  entry.started_at = listed.started_at();
  entry.is_open = listed.is_open;
  entry.problem = listed.problem;
  if (!listed.manifest) return entry;
  entry.is_readable = true;
  const session::Manifest& manifest = *listed.manifest;
  entry.duration_sec = manifest.seconds(manifest.end_frame);
  entry.notes = manifest.notes.size();
  entry.is_finished =
      manifest.stopped_at.has_value() && std::ranges::all_of(manifest.segments, &session::Segment::is_settled);
  for (const session::Segment& segment : manifest.segments) {
    if (segment.is_kept()) ++entry.segments;
    if (entry.first_text.empty()) entry.first_text = utf8::on_one_line(segment.text);
  }
  return entry;
}

}  // namespace

fs::path default_session_root() {
  return journal::default_session_root();
}

fs::path session_root(const RecorderConfig& config) {
  return journal::session_root(config);
}

SessionEntry session_entry(const fs::path& session) {
  return entry_of(session::look_at_session(session));
}

std::vector<SessionEntry> list_sessions(const fs::path& root) {
  std::vector<SessionEntry> entries;
  for (const auto& listed : session::list_sessions(root)) entries.push_back(entry_of(listed));
  return entries;
}

fs::path find_session(const fs::path& root, std::string_view what) {
  return session::find_session(root, what);
}

SessionTranscript open_session(const fs::path& session, std::optional<int> revision) {
  const session::ListedSession listed = session::look_at_session(session);
  if (!listed.manifest) throw RecorderError(Errc::session_unreadable, listed.problem);
  session::Script script = session::read_script(listed.path, revision);
  const session::Manifest& manifest = script.manifest;
  SessionTranscript transcript{.path = listed.path,
                               .name = listed.name,
                               .started_at = manifest.started_at,
                               .stopped_at = manifest.stopped_at,
                               .sample_rate = manifest.sample_rate,
                               .end_frame = manifest.end_frame,
                               .source = manifest.source,
                               .segments = {},
                               .notes = {}};
  for (const session::Segment& segment : manifest.segments) {
    if (!segment.is_kept()) continue;
    transcript.segments.push_back({.index = segment.index,
                                   .audio = listed.path / journal::segment_file(segment.index),
                                   .start_frame = segment.start_frame,
                                   .end_frame = segment.end_frame,
                                   .speech_start_frame = segment.speech_start_frame,
                                   .speech_end_frame = segment.speech_end_frame,
                                   .mode = segment.mode,
                                   .state = state_of(segment.status),
                                   .text = segment.text,
                                   .words = script.words_of(segment.index),
                                   .revision = segment.revision,
                                   .edited = segment.edited,
                                   .error = segment.error});
  }
  for (const session::Note& note : manifest.notes) transcript.notes.push_back(note_of(manifest, note, listed.path));
  return transcript;
}

std::vector<SessionMatch> search_sessions(const fs::path& root, const SessionSearch& search) {
  session::SessionIndex index(root);
  index.refresh();
  std::vector<SessionMatch> matches;
  for (auto& hit : index.search({.text = search.text,
                                 .scope = static_cast<session::SearchQuery::Scope>(search.scope),
                                 .from = search.from,
                                 .before = search.before,
                                 .session = search.session,
                                 .limit = search.limit})) {
    SessionMatch& match = matches.emplace_back();
    for (const auto& mark : hit.marks) match.marks.push_back({mark.begin, mark.size});
    match.session = std::move(hit.session);
    match.text = std::move(hit.text);
    match.note_title = std::move(hit.note_title);
    match.note_path = std::move(hit.note_path);
    match.segment_index = hit.segment_index;
    match.start_frame = hit.start_frame;
    match.end_frame = hit.end_frame;
    match.sample_rate = hit.sample_rate;
    match.said_at = hit.said_at;
  }
  return matches;
}

SessionCheck verify_session(const fs::path& session) {
  return session::verify(session);
}

SessionCheck repair_session(const fs::path& session) {
  return session::repair(session, std::chrono::system_clock::now());
}

std::vector<std::string> export_session(const fs::path& session, const fs::path& file) {
  std::string extension = file.extension().string();
  if (!extension.empty()) extension.erase(0, 1);
  const auto format = session::text_format(extension);
  if (!format) return session::export_audio(session, file, session::AudioExtent::kept);
  const session::Script script = session::read_script(session);
  session::write_new_file(file, session::export_text(script, *format));
  const std::size_t missing = script.without_text();
  if (missing == 0) return {};
  return {fmt::format("{} of {} segments {} no text.", missing,
                      std::ranges::count_if(script.manifest.segments, &session::Segment::is_kept),
                      missing == 1 ? "has" : "have")};
}

void edit_session(const fs::path& session, std::uint32_t index, std::string_view text) {
  const session::ListedSession listed = session::look_at_session(session);
  if (!listed.manifest) throw RecorderError(Errc::session_unreadable, listed.problem);
  const session::Manifest& manifest = *listed.manifest;
  const session::Segment* const segment = manifest.find(index);
  if (segment == nullptr || !segment->is_kept()) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("The session '{}' has no segment {}.", manifest.session, index));
  }
  if (!manifest.stopped_at) {
    throw RecorderError(Errc::invalid_state, fmt::format("The session '{}' is being recorded or was interrupted: stop "
                                                         "it, or finish it with `dictum resume {}`.",
                                                         manifest.session, listed.path.string()));
  }
  TranscriptionComplete result;
  result.text = utf8::on_one_line(text);
  while (result.text.ends_with(' ')) result.text.pop_back();
  result.success = true;
  result.edited = true;
  {
    auto writer = session::SessionWriter::reopen(listed.path);
    const auto now = std::chrono::system_clock::now();
    session::add_revision(writer, index, std::move(result), now);
    recorder::record_revised_notes(writer, now);
    writer.finish(std::nullopt);
  }
  session::update_index(listed.path);
}

void delete_session(const fs::path& session) {
  session::delete_session(session);
}

void retranscribe_session(const RecorderConfig& config, const fs::path& session, EditedTexts edited,
                          std::function<void(const Event&)> on_event) {
  if (!transcription::transcribes(config)) {
    throw RecorderError(Errc::invalid_argument, "The transcriber \"none\" transcribes nothing.");
  }
  api::resume_session(
      config, session,
      edited == EditedTexts::replace ? recorder::Redo::everything_and_edits : recorder::Redo::everything,
      [on_event = std::move(on_event)](const Event& event) {
        if (on_event) on_event(event);
      });
}

}  // namespace dictum
