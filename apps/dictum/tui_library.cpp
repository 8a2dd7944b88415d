#include "tui_library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "dictum/devices.hpp"
#include "dictum/playback.hpp"
#include "dictum/settings.hpp"
#include "dictum/text.hpp"
#include "dictum/transcribers.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

tui::SessionEntry entry_of(SessionEntry listed) {
  tui::SessionEntry entry;
  if (listed.started_at) entry.started_at = timestamp_of(*listed.started_at);
  entry.path = std::move(listed.path);
  entry.name = std::move(listed.name);
  entry.problem = std::move(listed.problem);
  entry.is_open = listed.is_open;
  entry.duration = listed.duration_sec;
  entry.notes = listed.notes;
  entry.segments = listed.segments;
  entry.first_text = std::move(listed.first_text);
  return entry;
}

tui::Passage passage_of(const SessionTranscript& session, const TranscriptSegment& segment) {
  using State = tui::Passage::State;
  tui::Passage passage;
  passage.segment = segment.index;
  passage.position = session.seconds(segment.speech_start_frame);
  passage.text = segment.text;
  passage.is_edited = segment.edited;
  if (segment.state == SegmentState::recording || segment.state == SegmentState::queued) {
    passage.state = State::awaited;
    passage.text = segment.state == SegmentState::recording ? "being recorded" : "being transcribed";
  } else if (segment.state != SegmentState::done) {
    passage.state = State::failed;
    passage.text = segment.error ? fmt::format("no text: {}", segment.error->message) : "Not transcribed yet.";
  }
  for (const SessionNote& note : session.notes) {
    const auto found = std::ranges::find(note.segments, segment.index);
    if (found == note.segments.end()) continue;
    passage.note = note.title;
    passage.begins_note = found == note.segments.begin();
  }
  return passage;
}

}  // namespace

std::vector<tui::Device> list_devices_for_tui(const std::string& backend) {
  std::vector<tui::Device> all;
  for (const auto& device : list_devices(backend)) {
    if (!device.is_monitor) all.push_back({device.id, device.name, device.description, device.is_default});
  }
  return all;
}

std::vector<tui::SessionEntry> list_sessions_for_tui(const fs::path& root) {
  std::vector<tui::SessionEntry> all;
  for (auto& listed : list_sessions(root)) all.push_back(entry_of(std::move(listed)));
  std::ranges::reverse(all);
  return all;
}

std::vector<tui::StoredNote> list_notes_for_tui(const fs::path& root) {
  std::vector<tui::StoredNote> all;
  for (const auto& listed : list_sessions(root)) {
    if (listed.notes == 0 || !listed.is_readable) continue;
    for (auto& note : session_notes(listed.path)) {
      all.push_back({listed.path, note.segments.empty() ? 0 : note.segments.front(), timestamp_of(note.said_at),
                     std::move(note.title), std::move(note.text)});
    }
  }
  std::ranges::sort(all, std::greater(), &tui::StoredNote::said_at);
  return all;
}

tui::SessionEntry session_entry_for_tui(const fs::path& path) {
  return entry_of(session_entry(path));
}

tui::OpenSession read_session_for_tui(const fs::path& path) {
  const SessionTranscript session = open_session(path);
  tui::OpenSession open{path, session.name, {}};
  for (const TranscriptSegment& segment : session.segments) open.passages.push_back(passage_of(session, segment));
  return open;
}

std::string text_of_session_for_tui(const fs::path& path) {
  return export_text(path, ExportFormat::txt);
}

std::vector<tui::Hit> search_for_tui(SessionFinder& finder, const std::string& query) {
  std::vector<tui::Hit> all;
  if (query.empty()) return all;
  SessionSearch wanted;
  wanted.text = query;
  // While somebody types, what stands there is the beginning of a word.
  if (query.back() != ' ' && query.back() != '*' && query.back() != '"') wanted.text += '*';
  for (auto& found : finder.search(wanted)) {
    tui::Hit hit;
    hit.session = std::move(found.session);
    hit.segment = found.segment_index;
    hit.position = static_cast<double>(found.start_frame) / std::max(found.sample_rate, 1);
    hit.said_at = timestamp_of(found.said_at);
    hit.text = std::move(found.text);
    hit.note_title = std::move(found.note_title);
    for (const auto& mark : found.marks) hit.marks.push_back({mark.begin, mark.size});
    all.push_back(std::move(hit));
  }
  return all;
}

fs::path export_for_tui(const fs::path& path, const std::string& format) {
  const fs::path file = path.filename().string() + "." + format;
  [[maybe_unused]] const auto missing = export_session(path, file);  // the file itself marks it
  return file;
}

void transcribe_for_tui(const RecorderConfig& config, const tui::TranscribeAgain& what,
                        const std::function<void(const Event&)>& on_event, std::stop_token stop) {
  constexpr double kNoLimit = -1;
  if (what.texts == tui::TranscribeAgain::Texts::missing) {
    resume_session(config, what.session, FailedTexts::retry, on_event, kNoLimit, std::move(stop));
  } else {
    retranscribe_session(config, what.session, EditedTexts::keep, on_event, kNoLimit, std::move(stop));
  }
}

void play_for_tui(const fs::path& path, std::optional<std::uint32_t> segment,
                  const std::function<void(tui::Playing)>& report, const std::stop_token& stop) {
  const SessionTranscript session = open_session(path);
  const auto on_segment = [&](const TranscriptSegment& begun, Frame start) {
    report({path, begun.index, session.seconds(start), begun.text});
  };
  play_session(session, {.from = segment ? session.segment(*segment).start_frame : 0, .on_segment = on_segment}, stop);
}

std::vector<tui::SpokenCommand> spoken_commands_for_tui(const RecorderConfig& config) {
  const RecorderConfig::Notes phrases = phrases_in_effect(config);
  return {{phrases.start.front(), "begin a note; its title is said next"},
          {phrases.end.front(), "complete it"},
          {phrases.cancel.front(), "throw it away"},
          {phrases.scratch.front(), "take back what was said last"},
          {phrases.stop.front(), "end the recording"}};
}

std::string transcriber_for_tui(const RecorderConfig& config) {
  const auto& settings = config.transcription;
  const std::string name = settings.transcriber == "auto" ? auto_transcriber() : settings.transcriber;
  return settings.model.empty() ? name : fmt::format("{}, {}", name, settings.model);
}

}  // namespace dictum::program
