#include "session/recovery.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "journal/session_directory.hpp"
#include "journal/session_folder.hpp"
#include "session/library.hpp"
#include "session/wav_repair.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxManifest = std::size_t{256} << 20;

std::string why_unfinished(const Manifest& manifest) {
  if (!manifest.stopped_at) return "it was interrupted";
  const auto waiting = std::ranges::count_if(manifest.segments, [](const Segment& each) { return !each.is_settled(); });
  if (waiting == 0) return "work on it was interrupted";
  return waiting == 1 ? "1 segment waits for its text" : fmt::format("{} segments wait for their text", waiting);
}

/// Whether a manifest may state that something is left to do, without parsing it: there may be thousands.
bool may_be_unfinished(std::string_view manifest) {
  return !manifest.starts_with('{') || !manifest.ends_with("}\n") ||
         manifest.find("\"stopped_at\": null") != std::string_view::npos ||
         manifest.find("\"status\":\"recording\"") != std::string_view::npos ||
         manifest.find("\"status\":\"queued\"") != std::string_view::npos;
}

/// Why a session is not finished; empty where it is, or where the folder is none. Does not rely on `unfinished.txt`,
/// which only saves the reading.
std::optional<std::string> reason_to_finish(const journal::SessionFolder& folder) {
  const bool is_marked = folder.has(journal::kUnfinishedFile);
  if (!folder.has(journal::kManifestFile)) {
    if (is_marked || folder.has(journal::kJournalFile) || !segments_on_disk(folder).empty()) {
      return "its manifest is missing";
    }
    return std::nullopt;
  }
  try {
    if (!is_marked && !may_be_unfinished(folder.read(journal::kManifestFile, kMaxManifest))) {
      if (!folder.has(journal::kJournalFile)) return "its journal is missing";
      return std::nullopt;
    }
    const Manifest manifest = read_manifest(folder.path());
    if (is_finished(manifest) && !is_marked) return std::nullopt;
    return why_unfinished(manifest);
  } catch (const NewerManifest&) {
    return std::nullopt;  // the library lists it
  } catch (const RecorderError&) {
    return "its manifest is damaged";
  }
}

/// One recovery: the writer, and what has been found out about its session.
class Recovery {
 public:
  Recovery(SessionWriter& writer, std::chrono::system_clock::time_point now)
      : writer_(writer), timestamp_(timestamp_of(now)) {}

  RecoveredSession run() {
    require_own_audio();
    if (state().position.next_sequence == 0) begin();
    report_findings();
    restore_from_manifest();
    end_open_segments();
    announce_orphans();
    repair_files();
    if (writer_.manifest().transcribes) queue_segments();
    restore_texts();
    if (!state().position.has_ended) {
      record(end_frame(), RecordingStateChanged{RecordingState::idle, false, false, false});
    }
    const Frame end = end_frame();
    writer_.progress(end - writer_.manifest().gap_frames(), end, writer_.manifest().drift_ppm);
    writer_.save_manifest();
    remove_debris();
    return {jobs(), writer_.events()};
  }

 private:
  const journal::SessionState& state() const { return writer_.manifest(); }

  fs::path wav(std::uint32_t index) const { return writer_.path() / journal::segment_file(index); }

  void record(Frame frame, EventBody body) { record_at(timestamp_, frame, std::move(body)); }

  void record_at(double timestamp, Frame frame, EventBody body) {
    writer_.record({writer_.name(), writer_.next_sequence(), timestamp, frame, std::move(body)});
  }

  /// Workers open the audio by its name: a link in its place would give them, and whoever they send it to, a file of
  /// somebody else's. Throws RecorderError(session_unreadable).
  void require_own_audio() const {
    for (const Segment& segment : writer_.manifest().segments) {
      const std::string file = journal::segment_file(segment.index);
      if (!segment.is_kept() || writer_.folder().try_open(file, O_RDONLY)) continue;
      if (errno != ENOENT && errno != EACCES) writer_.folder().open(file, O_RDONLY);  // says what it is
    }
  }

  /// Once, however often the session is recovered.
  void report(const std::string& what) {
    const bool is_known = std::ranges::any_of(writer_.events(), [&](const Event& event) {
      const auto* fault = std::get_if<RecorderFault>(&event.body);
      return fault != nullptr && fault->message == what;
    });
    if (!is_known) record(end_frame(), RecorderFault{to_string(Errc::session_unreadable), what, true});
  }

  /// Of a session that was interrupted before its first event, or whose journal is lost.
  void begin() {
    record_at(timestamp_of(writer_.manifest().started_at), 0,
              RecordingStateChanged{RecordingState::recording, true, false, false});
  }

  void report_findings() {
    const SessionWriter::Findings& findings = writer_.findings();
    if (findings.dropped_bytes > 0) {
      report(fmt::format("The journal's last line was torn by the interruption; {} bytes of it were dropped.",
                         findings.dropped_bytes));
    }
    if (!findings.damage.empty()) report(damage_report(findings.damage));
    if (!findings.lost_manifest.empty()) {
      report("The manifest was lost or damaged; it was made again from the journal and the sound files.");
    }
  }

  /// Segments that the manifest states, and of which the journal lost every line.
  void restore_from_manifest() {
    if (!writer_.findings().former) return;
    for (const Segment& segment : writer_.findings().former->segments) {
      if (state().find(segment.index) != nullptr) continue;
      record(segment.speech_start_frame, SpeechDetected{segment.index, segment.start_frame});
      if (segment.status == SegmentStatus::recording) continue;
      record(segment.speech_end_frame,
             SpeechEnded{segment.index, writer_.manifest().seconds(segment.end_frame - segment.start_frame),
                         segment.is_kept(), segment.start_frame, segment.end_frame});
    }
  }

  /// The same for texts: without the times of their words, which the manifest does not have.
  void restore_texts() {
    if (!writer_.findings().former) return;
    for (const Segment& segment : writer_.findings().former->segments) {
      const Segment* const known = state().find(segment.index);
      if (!segment.has_text() || known == nullptr || known->revision >= segment.revision) continue;
      TranscriptionComplete complete;
      complete.segment_index = segment.index;
      complete.text = segment.text;
      complete.success = true;
      complete.revision = segment.revision;
      complete.edited = segment.edited;
      complete.engine = segment.engine;
      complete.model = segment.model;
      complete.language = segment.language;
      record(known->end_frame, complete);
    }
  }

  /// Segments whose audio was being written before the journal knew of them, or of which it lost the lines.
  void announce_orphans() {
    const std::map<std::uint32_t, Frame> starts = noted_starts();
    for (const auto& [index, start] : starts) {
      const auto& segments = writer_.manifest().segments;
      if (index == (segments.empty() ? 0 : segments.back().index + 1)) announce(index, start);
    }
    for (const std::uint32_t index : segments_on_disk(writer_.folder())) {
      if (state().find(index) != nullptr) continue;
      const auto noted = starts.find(index);
      const Frame start = noted != starts.end() ? noted->second : end_before(index);
      announce(index, start);
      if (noted != starts.end()) continue;
      report(fmt::format("Nothing states any more when {} was recorded: it was placed behind the segment before it.",
                         journal::segment_file(index)));
    }
  }

  void announce(std::uint32_t index, Frame start) {
    record(start, SpeechDetected{index, start});
    end_open_segments();
  }

  /// Where the segments began, as noted before their events.
  std::map<std::uint32_t, Frame> noted_starts() const {
    std::map<std::uint32_t, Frame> starts;
    try {
      std::istringstream lines(writer_.folder().read(journal::kUnfinishedFile, std::size_t{64} << 20));
      Frame start = 0;
      for (std::uint32_t index = 0; lines >> index >> start && start >= 0;) starts.emplace(index, start);
    } catch (const RecorderError&) {  // it was finished, or had no segment
    }
    return starts;
  }

  Frame end_before(std::uint32_t index) const {
    Frame end = 0;
    for (const Segment& segment : state().segments) {
      if (segment.index < index) end = std::max(end, segment.end_frame);
    }
    return end;
  }

  void end_open_segments() {
    const std::deque<Segment> segments = writer_.manifest().segments;
    for (const Segment& segment : segments) {
      if (!state().position.open_segments.contains(segment.index)) continue;
      const Frame frames = frames_on_disk(writer_.folder(), journal::segment_file(segment.index));
      const Frame end = segment.start_frame + frames;
      SpeechEnded ended{segment.index, writer_.manifest().seconds(frames), frames > 0, segment.start_frame, end};
      if (!ended.kept) ended.discard_reason = DiscardReason::no_audio;
      record(std::max(end, segment.speech_start_frame), ended);
    }
  }

  /// Files whose closing was cut off, or whose end did not reach the disk.
  void repair_files() {
    const std::deque<Segment> segments = writer_.manifest().segments;
    for (const Segment& segment : segments) {
      const std::string file = journal::segment_file(segment.index);
      if (!segment.is_kept()) {
        writer_.folder().remove(file);
      } else if (writer_.folder().has(file)) {
        repair_file(file, segment.end_frame - segment.start_frame);
      }
    }
  }

  void repair_file(const std::string& file, Frame wanted) {
    try {
      const Frame found = frames_on_disk(writer_.folder(), file);
      if (found < wanted) {
        report(
            fmt::format("{} has {:.3f} s of the {:.3f} s that were recorded: its end did not reach the disk, and is "
                        "silence now.",
                        file, writer_.manifest().seconds(found), writer_.manifest().seconds(wanted)));
      }
      set_frames(writer_.folder(), file, wanted, writer_.manifest().sample_rate);
    } catch (const RecorderError& error) {
      if (error.code() != Errc::session_unreadable) throw;  // its transcription says that there is no audio
    }
  }

  void queue_segments() {
    const std::deque<Segment> segments = writer_.manifest().segments;
    for (const Segment& segment : segments) {
      if (segment.status != SegmentStatus::recording) continue;
      record(segment.end_frame, TranscriptionQueued{segment.index, wav(segment.index).string()});
    }
  }

  Frame end_frame() const { return std::max(writer_.manifest().end_frame, state().end_frame()); }

  void remove_debris() {
    std::error_code ignored;
    std::vector<std::string> debris;
    for (fs::directory_iterator entry(writer_.path(), ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
      if (entry->path().extension() == ".new") debris.push_back(entry->path().filename().string());
    }
    for (const std::string& file : debris) writer_.folder().remove(file);
  }

  std::vector<PendingJob> jobs() const {
    std::vector<PendingJob> jobs;
    for (const Segment& segment : writer_.manifest().segments) {
      if (segment.status != SegmentStatus::queued) continue;
      jobs.push_back({segment.index, wav(segment.index), segment.start_frame, segment.end_frame, segment.revisions});
    }
    return jobs;
  }

  SessionWriter& writer_;
  const double timestamp_;
};

}  // namespace

std::string damage_report(const std::vector<journal::JournalProblem>& damage) {
  constexpr std::size_t kNamed = 3;
  std::string text = "The journal is damaged:";
  for (std::size_t i = 0; i < std::min(kNamed, damage.size()); ++i) {
    text += fmt::format("{} line {}: {}", i > 0 ? ";" : "", damage[i].line, damage[i].what);
  }
  if (damage.size() > kNamed) text += fmt::format("; and {} more", damage.size() - kNamed);
  return text + ". What is good before and behind that was used.";
}

std::vector<UnfinishedSession> find_unfinished(const fs::path& root) {
  std::vector<UnfinishedSession> found;
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    // No link: what it leads to is a session of another root.
    if (!fs::is_directory(entry->symlink_status(ignored)) ||
        !journal::is_session_name(entry->path().filename().string()))
      continue;
    try {
      const fs::path path = journal::normal_path(entry->path());
      const journal::SessionFolder folder(path);
      const auto reason = reason_to_finish(folder);
      if (reason && !journal::is_locked(path)) found.push_back({path, *reason, folder.is_private()});
    } catch (const RecorderError& failure) {
      // Nothing is known of it where the process or the disk lacks something: whoever opens it will say so.
      if (failure.code() == Errc::output_unwritable) found.push_back({entry->path(), failure.what(), false});
    }
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) {
    throw RecorderError(
        error == std::errc::permission_denied ? Errc::session_unreadable : Errc::output_unwritable,
        fmt::format("'{}' cannot be searched for unfinished sessions ({}).", root.string(), error.message()));
  }
  std::ranges::sort(found, {}, &UnfinishedSession::path);
  return found;
}

RecoveredSession recover(SessionWriter& writer, std::chrono::system_clock::time_point now) {
  return Recovery(writer, now).run();
}

}  // namespace dictum::session
