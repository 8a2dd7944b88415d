#include "session/recovery.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <system_error>
#include <utility>

#include "dictum/error.hpp"
#include "journal/session_directory.hpp"
#include "journal/session_folder.hpp"
#include "session/wav_repair.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;

std::string why_unfinished(const Manifest& manifest) {
  if (!manifest.stopped_at) return "it was interrupted";
  const auto waiting = std::ranges::count_if(manifest.segments, [](const Segment& each) { return !each.is_settled(); });
  if (waiting == 0) return "work on it was interrupted";
  return waiting == 1 ? "1 segment waits for its text" : fmt::format("{} segments wait for their text", waiting);
}

/// One recovery: the writer, and what has been found out about its session.
class Recovery {
 public:
  Recovery(SessionWriter& writer, std::chrono::system_clock::time_point now)
      : writer_(writer), timestamp_(std::chrono::duration<double>(now.time_since_epoch()).count()) {}

  RecoveredSession run() {
    require_own_audio();
    if (writer_.dropped_bytes() > 0) report_dropped();
    announce_orphans();
    end_open_segments();
    repair_files();
    if (writer_.manifest().transcribes) queue_segments();
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

  void record(Frame frame, EventBody body) {
    writer_.record({writer_.name(), writer_.next_sequence(), timestamp_, frame, std::move(body)});
  }

  void report_dropped() {
    record(
        end_frame(),
        RecorderFault{to_string(Errc::session_unreadable),
                      fmt::format("The journal's last line was torn by the interruption; {} bytes of it were dropped.",
                                  writer_.dropped_bytes()),
                      true});
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

  /// Segments whose audio was being written before the journal knew of them.
  void announce_orphans() {
    std::string starts;
    try {
      starts = writer_.folder().read(journal::kUnfinishedFile, std::size_t{64} << 20);
    } catch (const RecorderError&) {
      return;  // it was finished, or had no segment
    }
    std::istringstream lines(starts);
    for (std::uint32_t index = 0; lines >> index;) {
      Frame start = 0;
      if (!(lines >> start) || start < 0) return;
      const auto& segments = writer_.manifest().segments;
      const std::uint32_t next = segments.empty() ? 0 : segments.back().index + 1;
      if (index == next) record(start, SpeechDetected{index, start});
    }
  }

  void end_open_segments() {
    const std::deque<Segment> segments = writer_.manifest().segments;
    for (const Segment& segment : segments) {
      if (!state().position.open_segments.contains(segment.index)) continue;
      const Frame frames = frames_on_disk(writer_.folder(), journal::segment_file(segment.index));
      const Frame end = segment.start_frame + frames;
      record(std::max(end, segment.speech_start_frame),
             SpeechEnded{segment.index, writer_.manifest().seconds(frames), frames > 0, segment.start_frame, end});
    }
  }

  /// Files whose closing was cut off.
  void repair_files() {
    for (const Segment& segment : writer_.manifest().segments) {
      const std::string file = journal::segment_file(segment.index);
      if (!segment.is_kept()) {
        writer_.folder().remove(file);
        continue;
      }
      if (segment.status == SegmentStatus::done) continue;
      try {
        set_frames(writer_.folder(), file, segment.end_frame - segment.start_frame);
      } catch (const RecorderError& error) {
        if (error.code() != Errc::session_unreadable) throw;  // its transcription will report that there is no audio
      }
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

std::vector<Unfinished> find_unfinished(const fs::path& root) {
  std::vector<Unfinished> found;
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    // No link: what it leads to is a session of another root.
    if (!fs::is_directory(entry->symlink_status(ignored)) ||
        !journal::is_session_name(entry->path().filename().string()))
      continue;
    try {
      const fs::path path = fs::absolute(entry->path()).lexically_normal();
      const journal::SessionFolder folder(path);
      if (!folder.has(journal::kUnfinishedFile) || journal::is_locked(path)) continue;
      found.push_back({path, why_unfinished(read_manifest(path)), folder.is_private()});
    } catch (const RecorderError&) {
    }
  }
  std::ranges::sort(found, {}, &Unfinished::path);
  return found;
}

RecoveredSession recover(SessionWriter& writer, std::chrono::system_clock::time_point now) {
  return Recovery(writer, now).run();
}

}  // namespace dictum::session
