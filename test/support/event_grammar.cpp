#include "support/event_grammar.hpp"

#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "dictum/error.hpp"
#include "dictum/event.hpp"
#include "journal/layout.hpp"
#include "session/manifest.hpp"
#include "wire/event_json.hpp"

namespace dictum::test {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// What the events say about a segment.
struct SegmentHistory {
  Frame speech_start{};
  std::optional<SpeechEnded> ended;
  int queued = 0;
  int completions = 0;
  std::optional<TranscriptionComplete> shown;
};

class Checker {
 public:
  Checker(fs::path session, GrammarOptions options) : session_(std::move(session)), options_(options) {}

  std::vector<std::string> run() {
    try {
      manifest_ = session::read_manifest(session_);
    } catch (const RecorderError& error) {
      complain("{}", error.what());
      return violations_;
    }
    read_journal();
    check_segments();
    check_manifest();
    check_sound_files();
    check_transcripts();
    check_files();
    return violations_;
  }

 private:
  template <class... T>
  void complain(fmt::format_string<T...> format, T&&... values) {
    violations_.push_back(fmt::format(format, std::forward<T>(values)...));
  }

  // Journal.

  void read_journal() {
    const std::string text = content_of(session_ / "events.jsonl");
    if (text.empty()) complain("the journal is empty");
    if (!text.empty() && text.back() != '\n') complain("the journal's last line is torn");
    fold_ = manifest_.unfolded();
    std::uint64_t expected = 0;
    for (const std::string& line : lines_of(text)) {
      try {
        const Event event = wire::parse_event(line);
        if (event.is_ephemeral()) complain("{} is ephemeral and is in the journal", event.name());
        if (event.sequence && *event.sequence != expected) {
          complain("sequence {} stands where {} is expected", *event.sequence, expected);
        }
        expected = event.sequence.value_or(expected) + 1;
        check_envelope(event);
        fold_.apply(event);
        std::visit([&](const auto& body) { check(event, body); }, event.body);
      } catch (const RecorderError& error) {
        complain("the journal has the line '{}': {}", line, error.what());
        ++expected;
      }
    }
    if (!text.empty() && !ended_) complain("the session is not ended by idle or failed");
    if (open_) complain("segment {} is never closed by SpeechEnded", *open_);
  }

  void check_envelope(const Event& event) {
    const auto* state = std::get_if<RecordingStateChanged>(&event.body);
    if (first_ && (state == nullptr || state->state != RecordingState::recording)) {
      complain("the first event is {}, not RecordingStateChanged with the state recording", event.name());
    }
    first_ = false;
    const std::string_view name = event.name();
    if (ended_ && !name.starts_with("Transcription") && !name.starts_with("Note") && name != "RecorderFault") {
      complain("{} comes after the end of the recording", name);
    }
    if (event.session != manifest_.session) complain("{} belongs to the session '{}'", name, event.session);
    if (!std::isfinite(event.timestamp) || event.timestamp <= 0) complain("{} has no timestamp", name);
    if (event.frame < 0) complain("{} has a frame before the start", name);
  }

  void check(const Event&, const RecordingStateChanged& changed) {
    const bool ends = changed.state == RecordingState::idle || changed.state == RecordingState::failed;
    if (changed.is_recording == ends) {
      complain("is_recording is {} in the state {}", changed.is_recording, to_string(changed.state));
    }
    if (changed.state == RecordingState::paused && !changed.is_paused)
      complain("is_paused is false in the state paused");
    if (ends && open_) complain("the recording ends with segment {} open", *open_);
    ended_ = ended_ || ends;
  }

  void check(const Event& event, const SpeechDetected& detected) {
    if (open_) complain("segment {} is opened while segment {} is open", detected.segment_index, *open_);
    if (detected.segment_index != segments_.size()) {
      complain("segment {} is opened where {} is next", detected.segment_index, segments_.size());
    }
    if (detected.start_frame > event.frame) {
      complain("the kept audio of segment {} begins after its speech", detected.segment_index);
    }
    segments_[detected.segment_index].speech_start = event.frame;
    open_ = detected.segment_index;
  }

  void check(const Event& event, const SpeechEnded& ended) {
    const std::uint32_t index = ended.segment_index;
    const auto found = segments_.find(index);
    if (found == segments_.end()) return complain("SpeechEnded of segment {} comes without SpeechDetected", index);
    if (found->second.ended) complain("segment {} has two SpeechEnded", index);
    if (open_ == index) open_.reset();
    found->second.ended = ended;
    if (ended.end_frame < ended.start_frame) complain("segment {} ends before it begins", index);
    if (event.frame < found->second.speech_start) complain("the speech of segment {} ends before it begins", index);
    const double duration = manifest_.seconds(ended.end_frame - ended.start_frame);
    if (!(std::abs(ended.duration_sec - duration) <= 1e-6)) {
      complain("segment {} has the duration {}, and its frames last {}", index, ended.duration_sec, duration);
    }
  }

  void check(const Event& event, const TranscriptionQueued& queued) {
    SegmentHistory* segment = kept_segment(queued.segment_index, event.name());
    if (segment == nullptr) return;
    ++segment->queued;
    if (queued.wav_path != journal::segment_file(queued.segment_index)) {
      complain("segment {} is queued as '{}'", queued.segment_index, queued.wav_path);
    }
    if (event.frame != segment->ended->end_frame) {
      complain("TranscriptionQueued of segment {} is not at its end", queued.segment_index);
    }
  }

  void check(const Event& event, const TranscriptionComplete& complete) {
    const std::uint32_t index = complete.segment_index;
    SegmentHistory* segment = kept_segment(index, event.name());
    if (segment == nullptr) return;
    if (segment->queued == 0) complain("TranscriptionComplete of segment {} comes before TranscriptionQueued", index);
    if (complete.revision != segment->completions) {
      complain("TranscriptionComplete of segment {} has revision {} where {} is next", index, complete.revision,
               segment->completions);
    }
    ++segment->completions;
    if (complete.success == complete.error.has_value()) {
      complain("TranscriptionComplete of segment {} has success {} and {} error", index, complete.success,
               complete.error ? "an" : "no");
    }
    if (event.frame != segment->ended->end_frame)
      complain("TranscriptionComplete of segment {} is not at its end", index);
    for (const Word& word : complete.words) {
      if (word.start_frame < segment->ended->start_frame || word.end_frame > segment->ended->end_frame ||
          word.end_frame < word.start_frame) {
        complain("the word '{}' lies outside segment {}", word.text, index);
      }
    }
    if (complete.success || !segment->shown || !segment->shown->success) segment->shown = complete;
  }

  void check(const Event&, const VADModeChanged& changed) {
    if (changed.min_silence_ms <= 0) complain("VADModeChanged has a min_silence_ms of {}", changed.min_silence_ms);
  }

  void check(const Event& event, const AudioGap& gap) {
    if (gap.frames <= 0) complain("a gap has {} frames", gap.frames);
    const Frame end = gap.start_frame + gap.frames;
    for (const AudioGap& other : gaps_) {
      if (other.start_frame < end && gap.start_frame < other.start_frame + other.frames)
        complain("the gaps at frames {} and {} overlap", other.start_frame, gap.start_frame);
    }
    // What a disk lost is known only when its segment ends.
    if (gap.reason != GapReason::disk && gap.start_frame < device_gaps_end_)
      complain("a gap begins at frame {}, before the one before it ends", gap.start_frame);
    gaps_.push_back(gap);
    gaps_end_ = std::max(gaps_end_, end);
    if (gap.reason != GapReason::disk) device_gaps_end_ = end;
    gap_frames_ += gap.frames;
    if (event.frame < 0) complain("a gap has no place");
  }

  void check(const Event& event, const NoteCommandDetected& command) {
    if (command.command != NoteCommand::complete) {
      kept_segment(command.segment_index, event.name());
    } else if (!segments_.contains(command.segment_index)) {
      complain("a note is completed behind segment {}, which was never opened", command.segment_index);
    }
  }
  void check(const Event& event, const NoteTitleCaptured& title) { kept_segment(title.segment_index, event.name()); }

  void check(const Event& event, const NoteCompleted& note) {
    for (const std::uint32_t index : note.segments) kept_segment(index, event.name());
    const fs::path path(note.path);
    if (path.is_absolute() || path.parent_path() != "notes") return complain("a note is at '{}'", note.path);
    if (!fs::is_regular_file(session_ / path)) complain("the note '{}' is missing", note.path);
    int& next = note_revisions_[note.path];
    if (note.revision != next) {
      complain("the note '{}' has revision {} where {} is next", note.path, note.revision, next);
    }
    ++next;
  }
  void check(const Event& event, const NoteCancelled& note) {
    for (const std::uint32_t index : note.segments) kept_segment(index, event.name());
  }

  void check(const Event&, const RecorderFault& fault) {
    if (fault.code.empty() || fault.message.empty()) complain("a RecorderFault says nothing");
  }
  void check(const Event&, const auto&) {}

  SegmentHistory* kept_segment(std::uint32_t index, std::string_view event) {
    const auto found = segments_.find(index);
    if (found != segments_.end() && found->second.ended && found->second.ended->kept) return &found->second;
    complain("{} names segment {}, which is not a kept one that has ended", event, index);
    return nullptr;
  }

  // What the events say together.

  void check_segments() {
    Frame end = 0;
    for (const auto& [index, segment] : segments_) {
      if (!segment.ended || !segment.ended->kept) continue;
      if (segment.ended->start_frame < end) complain("segment {} begins before the one before it ends", index);
      end = segment.ended->end_frame;
      if (segment.queued > 1) complain("segment {} is queued {} times", index, segment.queued);
      if (manifest_.transcribes && segment.queued == 0) complain("segment {} is kept and not queued", index);
      if (segment.queued > 0 && segment.completions == 0 && !options_.transcription_may_be_pending) {
        complain("segment {} is queued and has no TranscriptionComplete", index);
      }
      if (end > manifest_.end_frame) complain("segment {} ends after the recording", index);
    }
  }

  void check_manifest() {
    if (manifest_.session != session_.filename()) complain("the manifest calls the session '{}'", manifest_.session);
    if (!manifest_.stopped_at) complain("the manifest does not say when the recording stopped");
    if (manifest_.end_frame != manifest_.frames + gap_frames_) {
      complain("end_frame is {}, and {} frames and gaps of {} frames are {}", manifest_.end_frame, manifest_.frames,
               gap_frames_, manifest_.frames + gap_frames_);
    }
    if (gaps_end_ > manifest_.end_frame) complain("a gap ends after the recording");
    if (fold_.segments != manifest_.segments) complain("the manifest's segments are not those of the journal");
    if (fold_.gaps != manifest_.gaps) complain("the manifest's gaps are not those of the journal");
    if (fold_.notes != manifest_.notes) complain("the manifest's notes are not those of the journal");
    if (fold_.mode != manifest_.mode) complain("the manifest's mode is not that of the journal");
  }

  void check_sound_files() {
    for (const auto& [index, segment] : segments_) {
      if (!segment.ended || !segment.ended->kept) continue;
      const std::string name = journal::segment_file(index);
      SF_INFO info{};
      SNDFILE* file = sf_open((session_ / name).c_str(), SFM_READ, &info);
      if (file == nullptr) {
        complain("{} is missing or no sound file", name);
        continue;
      }
      sf_close(file);
      if (info.format != (SF_FORMAT_WAV | SF_FORMAT_PCM_16) || info.channels != 1)
        complain("{} is no mono PCM16 WAV", name);
      if (info.samplerate != manifest_.sample_rate) complain("{} has a rate of {} Hz", name, info.samplerate);
      const Frame frames = segment.ended->end_frame - segment.ended->start_frame;
      if (info.frames != frames) complain("{} has {} frames, and the events say {}", name, info.frames, frames);
      const auto size = static_cast<Frame>(fs::file_size(session_ / name));
      if (size != 44 + 2 * info.frames) complain("{} is {} bytes long for {} frames", name, size, info.frames);
    }
  }

  void check_transcripts() {
    std::vector<std::pair<std::uint32_t, std::string>> expected;  // segment, line
    for (const auto& [index, segment] : segments_) {
      if (segment.ended && segment.ended->kept) expected.emplace_back(index, line_begins(segment));
    }
    const std::vector<std::string> raw = lines_of(content_of(session_ / "transcript_raw.txt"));
    const bool whole = !options_.transcription_may_be_pending;
    if (raw.size() > expected.size() || (whole && raw.size() != expected.size())) {
      complain("transcript_raw.txt has {} lines for {} kept segments", raw.size(), expected.size());
    }
    for (std::size_t i = 0; i < std::min(raw.size(), expected.size()); ++i) {
      if (!raw[i].starts_with(expected[i].second)) {
        complain("transcript_raw.txt says '{}' of segment {}, not '{}'", raw[i], expected[i].first, expected[i].second);
      }
    }
    const std::vector<std::string> incremental = lines_of(content_of(session_ / "transcript_incremental.txt"));
    for (const auto& [index, line] : expected) {
      if (segments_[index].completions == 0 && !whole) continue;
      const auto holds = [&](const std::string& each) { return each.starts_with(line); };
      if (std::ranges::none_of(incremental, holds))
        complain("transcript_incremental.txt does not hold segment {}", index);
    }
  }

  std::string line_begins(const SegmentHistory& segment) const {
    const auto ms = static_cast<std::int64_t>(std::floor(manifest_.seconds(segment.speech_start) * 1000 + 1e-6));
    const std::string time =
        fmt::format("[{:02}:{:02}:{:02}.{:03}]", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
    if (!segment.shown || !segment.shown->success) return time + " [not transcribed: ";
    const std::string& text = segment.shown->text;
    return time + (text.empty() ? "" : " ") + text.substr(0, text.find_first_of("\r\n\t"));
  }

  void check_files() {
    require_mode(session_, 0700);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(session_)) {
      require_mode(entry.path(), entry.is_directory() ? 0700 : 0600);
      const std::string name = entry.path().filename().string();
      const bool may_stay = name == "unfinished.txt" && options_.transcription_may_be_pending;
      if (entry.path().extension() == ".new" || (name == "unfinished.txt" && !may_stay))
        complain("{} was left behind", name);
      if (entry.path().extension() == ".wav" && !is_of_kept_segment(name))
        complain("{} belongs to no kept segment", name);
    }
    for (const char* name : {"transcript_raw.txt", "transcript_incremental.txt"}) {
      if (!fs::exists(session_ / name)) complain("{} is missing", name);
    }
  }

  bool is_of_kept_segment(const std::string& name) const {
    return std::ranges::any_of(segments_, [&](const auto& each) {
      return each.second.ended && each.second.ended->kept && journal::segment_file(each.first) == name;
    });
  }

  void require_mode(const fs::path& path, mode_t mode) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return;
    const mode_t found = status.st_mode & 0777;
    if (found != mode) complain("{} has the mode {:o}, not {:o}", path.filename().string(), found, mode);
  }

  const fs::path session_;
  const GrammarOptions options_;
  std::vector<std::string> violations_;
  session::Manifest manifest_;
  session::Manifest fold_;
  std::map<std::uint32_t, SegmentHistory> segments_;
  std::map<std::string, int> note_revisions_;  // the next one of each
  std::optional<std::uint32_t> open_;
  bool first_ = true;
  bool ended_ = false;
  std::vector<AudioGap> gaps_;
  Frame gaps_end_ = 0;
  Frame device_gaps_end_ = 0;
  Frame gap_frames_ = 0;
};

}  // namespace

std::vector<std::string> grammar_violations(const fs::path& session, GrammarOptions options) {
  fs::path path = fs::absolute(session).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return Checker(path, options).run();
}

}  // namespace dictum::test
