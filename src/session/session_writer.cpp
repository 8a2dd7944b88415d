#include "session/session_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/disk_error.hpp"
#include "base/invariant.hpp"
#include "base/private_folders.hpp"
#include "dictum/error.hpp"
#include "journal/event_paths.hpp"
#include "journal/file_replacement.hpp"
#include "journal/journal_reader.hpp"
#include "journal/session_directory.hpp"
#include "session/note_file.hpp"
#include "session/rebuilt_manifest.hpp"
#include "session/transcript.hpp"
#include "session/wav_repair.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kAnySequence = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kJournalReserve = 64 << 10;  // some 250 events
constexpr std::size_t kMaxTranscriptBytes = std::size_t{256} << 20;

/// Does several things that may each fail on their own, and throws the first failure when all have been tried.
class Attempts {
 public:
  template <class Action>
  void operator()(Action&& action) {
    try {
      action();
    } catch (const RecorderError&) {
      if (!first_) first_ = std::current_exception();
    }
  }
  void rethrow_first() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::exception_ptr first_;
};

/// Nothing that was written is lost, also where somebody changed it by hand. Until `file` is written again it is
/// missing, which is how a crash in between is seen.
void keep_former(const journal::SessionFolder& folder, const fs::path& file, const fs::path& former) {
  if (folder.has(file) && !folder.has(former)) folder.rename(file, former);
}

void set_content(const journal::SessionFolder& folder, const char* name, const std::string& content) {
  try {
    if (folder.read(name, kMaxTranscriptBytes) == content) return;
  } catch (const RecorderError&) {  // missing, most often
  }
  journal::replace_file(folder, name, content);
}

SessionWriter::Findings stored_manifest(const fs::path& session) {
  SessionWriter::Findings findings;
  try {
    findings.former = read_manifest(session);
  } catch (const NewerManifest&) {
    throw;
  } catch (const RecorderError& error) {
    findings.lost_manifest = error.what();
  }
  return findings;
}

/// Throws where a folder is no session of ours: nothing is made in it then.
void require_session(const journal::SessionFolder& folder, const SessionWriter::Findings& findings) {
  const bool is_named = journal::is_session_name(folder.path().filename().string());
  if (folder.has(journal::kJournalFile)) {
    if (findings.former || is_named || !journal::read_journal(folder.path(), 0, kAnySequence, 1).empty()) return;
  } else if (findings.former ||
             (is_named && (folder.has(journal::kManifestFile) || folder.has(journal::kUnfinishedFile) ||
                           !segments_on_disk(folder).empty()))) {
    return;
  }
  throw RecorderError(Errc::session_unreadable,
                      fmt::format("'{}' is no session of Dictum: {}", folder.path().string(), findings.lost_manifest));
}

}  // namespace

SessionWriter::SessionWriter(journal::SessionFolder folder, journal::AppendFile journal)
    : folder_(std::make_shared<const journal::SessionFolder>(std::move(folder))),
      journal_(std::move(journal)),
      incremental_(*folder_, journal::kIncrementalTranscript),
      raw_(*folder_, journal::kRawTranscript),
      unfinished_(*folder_, journal::kUnfinishedFile) {}

SessionWriter SessionWriter::create(const fs::path& root, std::chrono::system_clock::time_point started,
                                    const SessionInfo& info) {
  journal::NewSessionDirectory folder(root, started);
  journal::SessionFolder opened(folder.path());
  journal::AppendFile journal(opened, journal::kJournalFile);
  SessionWriter writer(std::move(opened), std::move(journal));
  if (!journal::try_lock(writer.journal_.fd())) {
    throw RecorderError(Errc::session_locked,
                        fmt::format("Another program is using the new folder '{}'.", folder.path().string()));
  }
  writer.journal_.reserve(kJournalReserve);
  if (!info.survives_power_cut) writer.flush_ = journal::FileReplacement::Flush::never;
  Manifest& manifest = writer.manifest_;
  manifest.session = folder.path().filename().string();
  manifest.started_at = std::chrono::floor<std::chrono::milliseconds>(started);
  manifest.sample_rate = info.sample_rate;
  manifest.source = info.source;
  manifest.config = info.config;
  manifest.keep_all = info.keep_all;
  manifest.transcribes = info.transcribes;
  if (info.keep_all) {
    writer.timeline_ = std::make_unique<audio::FLACWriter>(folder.path() / journal::kTimelineFile, info.sample_rate);
    writer.probabilities_.emplace(folder.path());
  }
  writer.save_manifest();  // the last thing: a folder with a manifest is a session
  folder.keep();
  return writer;
}

SessionWriter SessionWriter::reopen(const fs::path& session) {
  const fs::path path = journal::normal_path(session);
  journal::SessionFolder folder(path);
  Findings findings = stored_manifest(path);
  require_session(folder, findings);  // before anything is made
  journal::AppendFile journal(folder, journal::kJournalFile);
  if (!journal::try_lock(journal.fd())) {
    throw RecorderError(
        Errc::session_locked,
        fmt::format("Another process is working on the session '{}': wait until it has finished.", path.string()));
  }
  findings = stored_manifest(path);  // again: whoever had the lock may have changed it
  journal::JournalReader reader(path);
  std::vector<Event> events;
  while (std::optional<Event> event = reader.next()) events.push_back(*std::move(event));
  findings.dropped_bytes = reader.torn_bytes();
  findings.damage = reader.problems();
  if (findings.dropped_bytes > 0) journal.cut(reader.offset());

  Manifest manifest = findings.former ? findings.former->unfolded() : rebuilt_manifest(folder, events);
  std::map<fs::path, Event> notes;  // the newest revision of each
  std::string incremental;
  for (const Event& event : events) {
    const Event stored = journal::with_relative_paths(event, path);
    manifest.apply(stored);
    if (auto line = incremental_line(manifest, stored)) incremental += *line;
    if (const auto* note = std::get_if<NoteCompleted>(&stored.body)) notes[note->path] = stored;
  }
  const std::size_t settled = settled_segments(manifest);
  set_content(folder, journal::kIncrementalTranscript, incremental);
  set_content(folder, journal::kRawTranscript, raw_transcript(manifest, settled));

  SessionWriter writer(std::move(folder), std::move(journal));
  writer.manifest_ = std::move(manifest);
  writer.was_reopened_ = true;
  writer.events_ = std::move(events);
  writer.next_sequence_ = reader.expected().value_or(0);
  writer.chain_ = reader.chain();
  writer.findings_ = std::move(findings);
  writer.raw_segments_ = settled;
  for (const auto& [file, note] : notes) {
    if (!journal::is_inside(file)) continue;
    const int revision = std::get<NoteCompleted>(note.body).revision;
    const auto has = [&](const fs::path& name) { return bool(writer.folder_->try_open(name, O_RDONLY)); };
    const bool was_written = has(file) && (revision == 0 || has(former_note_path(file, revision - 1)));
    if (!was_written) writer.write_note(note);
  }
  return writer;
}

void SessionWriter::open_segment(std::uint32_t index, Frame start_frame) {
  unfinished_.append(std::exchange(noted_, index) != index ? fmt::format("{} {}\n", index, start_frame) : "");
  const std::string name = journal::segment_file(index);
  if (open_.contains(index)) return;
  if (folder_->has(name)) throw_disk_error(EEXIST, path() / name);
  journal::FileReplacement file(*folder_, name);
  audio::WAVWriter wav(audio::OutputFile(file.take_file(), path() / name), manifest_.sample_rate);
  file.give_name();  // with its header, so that no file of that name is ever without one
  open_.emplace(index, std::move(wav));
  unsynced_.insert(name);
}

void SessionWriter::append_segment(std::uint32_t index, std::span<const std::int16_t> samples) {
  const auto found = open_.find(index);
  if (found == open_.end()) {
    throw RecorderError(Errc::output_unwritable, fmt::format("'{}' was not begun, so its audio cannot be written.",
                                                             (path() / journal::segment_file(index)).string()));
  }
  found->second.append(samples);
}

Frame SessionWriter::segment_frames(std::uint32_t index) const {
  const auto found = open_.find(index);
  return found != open_.end() ? found->second.frames() : 0;
}

void SessionWriter::close_segment(std::uint32_t index, Frame kept_frames) {
  const auto found = open_.find(index);
  if (found == open_.end()) return;
  found->second.truncate(kept_frames);
  audio::WAVWriter wav = std::move(found->second);
  open_.erase(found);
  wav.close();
}

void SessionWriter::discard_segment(std::uint32_t index) {
  open_.erase(index);
  const std::string file = journal::segment_file(index);
  unsynced_.erase(file);
  if (!folder_->remove(file)) throw_disk_error(errno, path() / file);
}

void SessionWriter::append_timeline(std::span<const std::int16_t> samples) {
  if (timeline_) timeline_->append(samples);
}

void SessionWriter::append_probabilities(Frame start_frame, std::span<const float> probabilities) {
  if (probabilities_) probabilities_->append(start_frame, probabilities);
}

void SessionWriter::record(const Event& event) {
  if (event.is_ephemeral()) return;
  invariant(event.sequence == next_sequence_, "the journal's events have consecutive numbers");
  // An event of before the folder was moved has its former path.
  Event stored = journal::with_relative_paths(event, path());
  for (const fs::path& former : former_paths_) stored = journal::with_relative_paths(std::move(stored), former);
  Attempts attempt;
  attempt([&] { journal_.append(chain_.sealed(stored.to_json()) + "\n"); });
  ++next_sequence_;
  manifest_.apply(stored);
  if (was_reopened_) events_.push_back(event);
  attempt([&] { update_incremental(stored); });
  attempt([&] { update_raw(stored); });
  attempt([&] { write_note(stored); });
  attempt.rethrow_first();
}

void SessionWriter::update_incremental(const Event& event) {
  if (const auto line = incremental_line(manifest_, event)) incremental_.append(*line);
}

void SessionWriter::update_raw(const Event& event) {
  if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
    const bool is_shown = raw_segments_ > 0 && complete->segment_index <= manifest_.segments[raw_segments_ - 1].index;
    if (is_shown && manifest_.find(complete->segment_index) != nullptr) raw_is_stale_ = true;
  }
  const std::size_t shown = raw_segments_;
  raw_segments_ = settled_segments(manifest_, raw_segments_);
  if (raw_is_stale_) return rewrite_raw();
  std::string lines;
  for (std::size_t i = shown; i < raw_segments_; ++i) {
    const Segment& segment = manifest_.segments[i];
    if (segment.is_kept()) lines += transcript_line(segment, manifest_.sample_rate);
  }
  if (!lines.empty()) raw_.append(lines);
}

void SessionWriter::rewrite_raw() {
  raw_is_stale_ = true;
  journal::replace_file(*folder_, journal::kRawTranscript, raw_transcript(manifest_, raw_segments_));
  raw_ = journal::AppendFile(*folder_, journal::kRawTranscript);
  raw_is_stale_ = false;
}

void SessionWriter::write_note(const Event& event) {
  const auto* note = std::get_if<NoteCompleted>(&event.body);
  if (note == nullptr || note->path.empty()) return;
  if (!journal::is_inside(note->path)) {
    throw RecorderError(Errc::internal, fmt::format("The note '{}' does not belong to the session.", note->path));
  }
  const fs::path file = note->path;
  if (file.has_parent_path()) folder_->make_folder(file.parent_path());
  if (note->revision > 0) keep_former(*folder_, file, former_note_path(file, note->revision - 1));
  journal::replace_file(*folder_, file, note_markdown(manifest_, event, *note));
  unsynced_.insert(note->path);
}

void SessionWriter::progress(Frame frames_captured, Frame end_frame, double drift_ppm) {
  manifest_.frames = frames_captured;
  manifest_.end_frame = end_frame;
  manifest_.drift_ppm = drift_ppm;
}

void SessionWriter::save_manifest() {
  write_manifest(*folder_, manifest_, flush_);
}

void SessionWriter::keep_folder() {
  const auto place = folder_->place();
  if (place == journal::SessionFolder::Place::moved) {
    former_paths_.push_back(path());
    folder_ = std::make_shared<const journal::SessionFolder>(folder_->by_its_new_path());
    is_move_unreported_ = true;
  } else if (place == journal::SessionFolder::Place::removed) {
    const fs::path same = path();
    if (const auto error = make_private_folders(same)) throw_disk_error(error.value(), same);
    folder_ = std::make_shared<const journal::SessionFolder>(same);
  }
  restore_sound_and_journal();
}

std::optional<std::string> SessionWriter::take_folder_report() {
  const bool was_restored = std::exchange(is_restore_unreported_, false);
  if (std::exchange(is_move_unreported_, false)) {
    return fmt::format(
        "The session's folder '{}' was moved to '{}' while it was recorded. The recording goes on there.",
        former_paths_.back().string(), path().string());
  }
  if (!was_restored) return std::nullopt;
  std::string report = fmt::format(
      "The session's folder '{}', or files of it, were removed while it was recorded. What was open was made again, "
      "and "
      "the recording goes on there.",
      path().string());
  const auto is_gone = [&](const Segment& segment) {
    return segment.is_kept() && !open_.contains(segment.index) && !folder_->has(journal::segment_file(segment.index));
  };
  if (const auto gone = std::ranges::count_if(manifest_.segments, is_gone); gone > 0) {
    report += fmt::format(" The sound of {} that had ended is gone.",
                          gone == 1 ? std::string("1 segment") : fmt::format("{} segments", gone));
  }
  return report;
}

/// Makes a file that is open, and has lost its name, again.
void SessionWriter::restore(audio::OutputFile& file, const std::string& name) {
  if (folder_->is_name_of(file.fd(), name)) return;
  journal::FileReplacement replacement(*folder_, name);
  file.move_to(replacement.take_file(), path() / name);
  replacement.give_name();
  unsynced_.insert(name);
  is_restore_unreported_ = true;
}

void SessionWriter::restore_sound_and_journal() {
  const auto lock = [this](int fd) {
    if (journal::try_lock(fd)) return;
    throw RecorderError(Errc::session_locked,
                        fmt::format("Another program is using the session '{}'.", path().string()));
  };
  Attempts attempt;
  attempt([&] { is_restore_unreported_ |= journal_.restore(*folder_, lock); });
  for (auto& [index, wav] : open_) attempt([&] { restore(wav.file(), journal::segment_file(index)); });
  attempt.rethrow_first();
}

void SessionWriter::keep_other_files() {
  Attempts attempt;
  if (timeline_) attempt([&] { restore(timeline_->file(), journal::kTimelineFile); });
  if (probabilities_) attempt([&] { is_restore_unreported_ |= probabilities_->restore(*folder_); });
  for (journal::AppendFile* file : {&incremental_, &unfinished_}) {
    attempt([&] { is_restore_unreported_ |= file->restore(*folder_); });
  }
  if (!raw_is_stale_) attempt([&] { is_restore_unreported_ |= raw_.restore(*folder_); });
  attempt.rethrow_first();
}

std::vector<std::string> SessionWriter::take_unsynced() {
  std::vector<std::string> files(unsynced_.begin(), unsynced_.end());
  unsynced_.clear();
  for (const auto& [index, segment] : open_) unsynced_.insert(journal::segment_file(index));  // they go on growing
  for (const char* file :
       {journal::kJournalFile, journal::kIncrementalTranscript, journal::kRawTranscript, journal::kManifestFile}) {
    files.emplace_back(file);
  }
  if (manifest_.keep_all) files.emplace_back(journal::kTimelineFile);
  if (probabilities_) files.emplace_back(journal::kProbabilitiesFile);
  return files;
}

void SessionWriter::sync(const journal::SessionFolder& folder, const std::vector<std::string>& files) {
  Attempts attempt;
  for (const std::string& file : files) {
    attempt([&] {
      if (folder.has(file)) folder.sync_file(file);  // a segment may have been discarded since
    });
  }
  attempt([&] { folder.sync_names(); });
  attempt.rethrow_first();
}

void SessionWriter::finish(std::optional<std::chrono::system_clock::time_point> stopped_at) {
  Attempts attempt;
  attempt([&] { journal_.append(""); });  // what may still be waiting
  if (!journal_.has_waiting()) journal_.release_reserve();
  attempt([&] { incremental_.append(""); });
  while (!open_.empty()) {
    const std::uint32_t index = open_.begin()->first;
    const Segment* const segment = manifest_.find(index);
    const bool has_end = segment != nullptr && segment->is_kept() && !manifest_.position.open_segments.contains(index);
    // Where its end could not be written before, it is longer than the journal says; where it cannot be now, the
    // session stays marked as unfinished.
    attempt([&] { close_segment(index, has_end ? segment->end_frame - segment->start_frame : segment_frames(index)); });
    open_.erase(index);
  }
  if (timeline_) {
    attempt([&] { std::exchange(timeline_, nullptr)->close(); });
  }
  if (stopped_at) manifest_.stopped_at = std::chrono::floor<std::chrono::milliseconds>(*stopped_at);
  raw_segments_ = manifest_.segments.size();
  attempt([&] { set_content(*folder_, journal::kRawTranscript, raw_transcript(manifest_, raw_segments_)); });
  attempt([&] { save_manifest(); });
  // Nothing is unmarked before it is safe.
  if (survives_power_cut()) {
    attempt([&] { sync(*folder_, take_unsynced()); });
  }
  attempt.rethrow_first();
  if (!manifest_.stopped_at || settled_segments(manifest_) < manifest_.segments.size()) return;
  if (!folder_->remove(journal::kUnfinishedFile)) throw_disk_error(errno, path() / journal::kUnfinishedFile);
}

}  // namespace dictum::session
