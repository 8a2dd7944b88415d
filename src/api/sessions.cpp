#include "dictum/sessions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "api/resume.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "journal/event_paths.hpp"
#include "journal/journal_reader.hpp"
#include "journal/layout.hpp"
#include "journal/session_directory.hpp"
#include "journal/session_folder.hpp"
#include "recorder/revised_notes.hpp"
#include "session/exporter.hpp"
#include "session/index.hpp"
#include "session/library.hpp"
#include "session/new_file.hpp"
#include "session/recovery.hpp"
#include "session/revision.hpp"
#include "session/session_writer.hpp"
#include "session/verification.hpp"
#include "text/words.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;

SegmentState state_of(session::SegmentStatus status) {
  constexpr std::array kStates = {SegmentState::recording, SegmentState::queued, SegmentState::done,
                                  SegmentState::failed, SegmentState::skipped};
  return kStates.at(static_cast<std::size_t>(status));
}

/// A session whose manifest can be read. Throws RecorderError(session_unreadable).
session::ListedSession readable_session(const fs::path& session) {
  session::ListedSession listed = session::look_at_session(session);
  if (!listed.manifest) throw RecorderError(Errc::session_unreadable, listed.problem);
  return listed;
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

/// What a list shows of a session: what somebody called the first note, or else the first thing said.
std::string summary(const session::Manifest& manifest) {
  if (!manifest.notes.empty() && !manifest.notes.front().title.empty()) {
    return utf8::on_one_line(manifest.notes.front().title);
  }
  const auto spoken =
      std::ranges::find_if(manifest.segments, [](const auto& segment) { return !segment.text.empty(); });
  return spoken == manifest.segments.end() ? std::string() : utf8::on_one_line(spoken->text);
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
  entry.is_finished = session::is_finished(manifest);
  std::size_t failed = 0;
  for (const session::Segment& segment : manifest.segments) {
    if (segment.is_kept()) ++entry.segments;
    if (segment.status == session::SegmentStatus::failed) ++failed;
  }
  entry.first_text = summary(manifest);
  if (failed > 0 && entry.problem.empty()) {
    entry.problem =
        fmt::format("{} {} no text: the transcription failed.", failed, failed == 1 ? "segment has" : "segments have");
  }
  return entry;
}

/// The text format among the export formats; empty for audio.
std::optional<session::TextFormat> text_format(ExportFormat format) {
  using session::TextFormat;
  switch (format) {
    case ExportFormat::txt:
      return TextFormat::txt;
    case ExportFormat::srt:
      return TextFormat::srt;
    case ExportFormat::vtt:
      return TextFormat::vtt;
    case ExportFormat::json:
      return TextFormat::json;
    case ExportFormat::markdown:
      return TextFormat::markdown;
    case ExportFormat::wav:
    case ExportFormat::flac:
      break;
  }
  return std::nullopt;
}

EventCallback callback_of(std::function<void(const Event&)> on_event) {
  return on_event ? EventCallback(std::move(on_event)) : EventCallback();
}

}  // namespace

std::string_view to_string(SegmentState state) noexcept {
  return journal::to_string(static_cast<session::SegmentStatus>(state));
}

const TranscriptSegment& SessionTranscript::segment(std::uint32_t index) const {
  const auto found = std::ranges::find(segments, index, &TranscriptSegment::index);
  if (found != segments.end()) return *found;
  throw RecorderError(Errc::input_not_found,
                      fmt::format("The session '{}' has no sound of a segment {}.", name, index));
}

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
  const session::ListedSession listed = readable_session(session);
  session::Script script = session::read_script(listed.path, revision);
  const session::Manifest& manifest = script.manifest;
  SessionTranscript transcript{.path = listed.path,
                               .name = listed.name,
                               .started_at = manifest.started_at,
                               .stopped_at = manifest.stopped_at,
                               .sample_rate = manifest.sample_rate,
                               .end_frame = manifest.end_frame,
                               .source = manifest.source,
                               .transcribes = manifest.transcribes,
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

std::vector<SessionNote> session_notes(const fs::path& session) {
  const session::ListedSession listed = readable_session(session);
  std::vector<SessionNote> notes;
  for (const session::Note& note : listed.manifest->notes) {
    notes.push_back(note_of(*listed.manifest, note, listed.path));
  }
  return notes;
}

std::string read_note(const fs::path& session, const SessionNote& note) {
  constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
  const journal::SessionFolder folder(session::look_at_session(session).path);
  const fs::path name = note.file.lexically_relative(folder.path());
  if (!journal::is_inside(name)) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("The file of the note '{}' is not in its session.", note.title));
  }
  return folder.read(name, kMaxBytes);
}

std::vector<SessionProblem> read_events(const fs::path& session, const std::function<bool(const Event&)>& on_event) {
  journal::JournalReader reader(session);
  while (const auto event = reader.next()) {
    if (!on_event(*event)) break;
  }
  std::vector<SessionProblem> problems;
  for (const auto& problem : reader.problems()) {
    problems.push_back({.file = journal::kJournalFile,
                        .what = fmt::format("Line {} of the journal is wrong: {}.", problem.line, problem.what)});
  }
  return problems;
}

std::uintmax_t session_size(const fs::path& session) {
  return session::size_of(session);
}

struct SessionFinder::Index : session::SessionIndex {
  using SessionIndex::SessionIndex;
};

SessionFinder::SessionFinder(const fs::path& root) : index_(std::make_unique<Index>(root)) {}

SessionFinder::~SessionFinder() = default;

std::vector<SessionMatch> SessionFinder::search(const SessionSearch& search) {
  index_->refresh();
  return index_->search(search);
}

std::vector<SessionMatch> search_sessions(const fs::path& root, const SessionSearch& search) {
  return SessionFinder(root).search(search);
}

fs::path rebuild_search_index(const fs::path& root) {
  session::SessionIndex(root).rebuild();
  return session::SessionIndex::file_in(root);
}

SessionCheck verify_session(const fs::path& session) {
  return session::verify(session);
}

SessionCheck repair_session(const fs::path& session) {
  return session::repair(session, std::chrono::system_clock::now());
}

std::optional<ExportFormat> export_format(std::string_view name) noexcept {
  if (name.starts_with('.')) name.remove_prefix(1);
  constexpr std::array<std::pair<std::string_view, ExportFormat>, 7> kFormats{{{"txt", ExportFormat::txt},
                                                                               {"srt", ExportFormat::srt},
                                                                               {"vtt", ExportFormat::vtt},
                                                                               {"json", ExportFormat::json},
                                                                               {"md", ExportFormat::markdown},
                                                                               {"wav", ExportFormat::wav},
                                                                               {"flac", ExportFormat::flac}}};
  const auto* const found = std::ranges::find(kFormats, name, [](const auto& each) { return each.first; });
  return found == kFormats.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> export_session(const fs::path& session, const fs::path& file, const ExportOptions& options) {
  const auto format = options.format ? options.format : export_format(file.extension().string());
  const auto text = format ? text_format(*format) : std::nullopt;
  if (!text) {
    return session::export_audio(session, file,
                                 options.whole_timeline ? session::AudioExtent::timeline : session::AudioExtent::kept);
  }
  const session::Script script = session::read_script(session, options.revision);
  session::write_new_file(file, session::export_text(script, *text));
  const std::size_t missing = script.without_text();
  if (missing == 0) return {};
  return {fmt::format("{} of {} segments {} no text.", missing,
                      std::ranges::count_if(script.manifest.segments, &session::Segment::is_kept),
                      missing == 1 ? "has" : "have")};
}

std::string export_text(const fs::path& session, ExportFormat format, std::optional<int> revision) {
  const auto text = text_format(format);
  if (!text) throw RecorderError(Errc::invalid_argument, "Audio is exported to a file, not to a text.");
  return session::export_text(session::read_script(session, revision), *text);
}

void edit_session(const fs::path& session, std::uint32_t index, std::string_view text) {
  const session::ListedSession listed = readable_session(session);
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
  result.text = text::composed(utf8::on_one_line(text));
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

Pruned prune_sessions(const fs::path& root, const PruneRule& rule) {
  return session::prune(root, rule);
}

std::vector<UnfinishedSession> find_unfinished_sessions(const fs::path& root) {
  session::remove_remains(root);
  return session::find_unfinished(root);
}

void resume_session(const RecorderConfig& config, const fs::path& session, FailedTexts failed,
                    std::function<void(const Event&)> on_event, double drain_sec, std::stop_token stop) {
  const auto redo = failed == FailedTexts::retry ? recorder::Redo::failed : recorder::Redo::nothing;
  api::resume_session(config, session, redo, callback_of(std::move(on_event)), drain_sec, stop);
}

void retranscribe_session(const RecorderConfig& config, const fs::path& session, EditedTexts edited,
                          std::function<void(const Event&)> on_event, double drain_sec, std::stop_token stop) {
  if (!transcription::transcribes(config)) {
    throw RecorderError(Errc::invalid_argument, "The transcriber \"none\" transcribes nothing.");
  }
  const auto redo = edited == EditedTexts::replace ? recorder::Redo::everything_and_edits : recorder::Redo::everything;
  api::resume_session(config, session, redo, callback_of(std::move(on_event)), drain_sec, stop);
}

}  // namespace dictum
