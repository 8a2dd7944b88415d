#include "recorder/disk_stage.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/invariant.hpp"
#include "base/outcome.hpp"
#include "dictum/error.hpp"
#include "session/library.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
constexpr auto kManifestEvery = 10s;
constexpr auto kSyncEvery = 1s;
// Each check looks up the name of every open file: with each block of audio that would be most of what writing takes.
constexpr auto kFolderCheckEvery = 500ms;

/// Audio is for the disk only.
bool is_for_disk_only(const pipeline::StreamItem& item) {
  return std::holds_alternative<pipeline::SegmentAudio>(item) ||
         std::holds_alternative<pipeline::TimelineAudio>(item) || std::holds_alternative<pipeline::Probabilities>(item);
}

bool is_of_a_segment(const pipeline::StreamItem& item) {
  return std::holds_alternative<vad::SegmentOpened>(item) || std::holds_alternative<pipeline::SegmentAudio>(item) ||
         std::holds_alternative<vad::SegmentClosed>(item);
}

/// What is reported to people and to the life cycle at once, also while audio waits for the disk.
bool is_urgent(const pipeline::StreamItem& item) {
  return std::holds_alternative<pipeline::Level>(item) || std::holds_alternative<SourceDevice>(item) ||
         std::holds_alternative<SourceFault>(item) || std::holds_alternative<pipeline::Paused>(item) ||
         std::holds_alternative<pipeline::Resumed>(item);
}

bool makes_or_closes_files(const Batch& batch) {
  return std::ranges::any_of(batch.items, [](const pipeline::StreamItem& item) {
    return std::holds_alternative<vad::SegmentOpened>(item) || std::holds_alternative<vad::SegmentClosed>(item) ||
           std::holds_alternative<pipeline::Closed>(item);
  });
}

}  // namespace

DiskStage::DiskStage(session::SessionWriter writer, TimeSource time, delivery::JournalPointer journal)
    : writer_(std::move(writer)),
      time_(std::move(time)),
      journal_(std::move(journal)),
      folder_(writer_->shared_folder()),
      last_manifest_(time_.clock->steady_now()),
      last_sync_(last_manifest_) {}

template <class Write>
void DiskStage::attempt(bool& fails, std::vector<EventError>& faults, Write write) {
  try {
    write();
    fails = false;
  } catch (const BrokenInvariant&) {
    fails = true;
    broken_ = error_of_current_exception();
  } catch (...) {
    if (!std::exchange(fails, true)) faults.push_back(error_of_current_exception());
  }
}

void DiskStage::push(Batch batch) {
  const bool is_end = std::ranges::any_of(
      batch.items, [](const pipeline::StreamItem& item) { return std::holds_alternative<pipeline::Closed>(item); });
  if (is_end) closed_at_ = time_.clock->steady_now();
  wait_ends_ = is_end || batch.source_can_wait;
  batches_.push_back(std::move(batch));
}

/// What is written meanwhile is in files that are open: they keep it, whatever became of their names.
bool DiskStage::should_keep_folder() const {
  return !last_folder_check_ || time_.clock->steady_now() - *last_folder_check_ >= kFolderCheckEvery ||
         std::ranges::any_of(batches_, makes_or_closes_files);
}

/// Before files are closed: what is closed without its name is lost. Throws where the folder, the journal or a
/// segment cannot be made again; what is to be written waits then.
void DiskStage::keep_folder(std::vector<EventError>& faults) {
  last_folder_check_ = time_.clock->steady_now();
  std::exception_ptr failure;
  try {
    writer_->keep_folder();
  } catch (const RecorderError&) {
    failure = std::current_exception();
  }
  *folder_.lock() = writer_->shared_folder();  // it may be another one though a file of it failed
  if (const auto known = journal_->session.lock(); *known != writer_->path()) *known = writer_->path();
  if (failure) std::rethrow_exception(failure);
  attempt(restore_fails_, faults, [&] { writer_->keep_other_files(); });
  auto report = writer_->take_folder_report();
  if (!report) return;
  faults.push_back({to_string(Errc::output_unwritable), *std::move(report)});
  attempt(summary_fails_, faults, [&] { writer_->save_manifest(); });
}

Written DiskStage::write() {
  Written written;
  if (writer_ && !batches_.empty() && !audio_fails_ && should_keep_folder())
    attempt(audio_fails_, written.faults, [&] { keep_folder(written.faults); });
  while (!batches_.empty() && !written.is_waiting) {
    std::vector<pipeline::StreamItem>& items = batches_.front().items;
    std::vector<pipeline::StreamItem> done;
    std::size_t count = 0;
    while (count < items.size() && write_item(items[count], done, written)) ++count;
    written.is_waiting = count < items.size();
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count));
    if (!written.is_waiting) {
      written.batches.push_back({.items = std::move(done), .in_flight = std::move(batches_.front().in_flight)});
      batches_.pop_front();
    } else if (!done.empty()) {
      written.batches.push_back({.items = std::move(done), .in_flight = {}});
    }
  }
  if (written.is_waiting) {
    if (auto urgent = take_urgent(); !urgent.empty())
      written.batches.push_back({.items = std::move(urgent), .in_flight = {}});
  }
  written.broken = std::exchange(broken_, std::nullopt);
  return written;
}

/// From the batches that wait.
std::vector<pipeline::StreamItem> DiskStage::take_urgent() {
  std::vector<pipeline::StreamItem> urgent;
  for (Batch& batch : batches_) {
    std::ranges::copy_if(batch.items, std::back_inserter(urgent), is_urgent);
    std::erase_if(batch.items, is_urgent);
  }
  // A level says how far the audio is safe, too: it may not be ahead of what waits.
  for (pipeline::StreamItem& item : urgent) {
    if (auto* level = std::get_if<pipeline::Level>(&item)) level->now = std::min(level->now, written_until_);
  }
  return urgent;
}

/// False where the item waits for the disk.
bool DiskStage::write_item(pipeline::StreamItem& item, std::vector<pipeline::StreamItem>& done, Written& written) {
  if (auto* progress = std::get_if<pipeline::Progress>(&item)) {
    progress->captured -= lost_;
    if (writer_) writer_->progress(progress->captured, progress->now, 0);
    written_until_ = progress->now;
  } else if (auto* end = std::get_if<pipeline::Closed>(&item)) {
    end->captured -= lost_;
    if (writer_) writer_->progress(end->captured, end->now, end->drift_ppm);
  } else if (const auto* gap = std::get_if<pipeline::GapEnded>(&item)) {
    lost_ -= gap->frames - state_gap(*gap, done);  // was never captured
    return true;
  } else if (writer_ && (std::holds_alternative<pipeline::TimelineAudio>(item) ||
                         std::holds_alternative<pipeline::Probabilities>(item))) {
    attempt(extra_fails_, written.faults, [&] { write_extra(item); });
  } else if (auto* closed = std::get_if<vad::SegmentClosed>(&item); closed != nullptr && cut_.contains(closed->index)) {
    close_cut(*closed, done, written);
    return true;
  } else if (writer_ && is_of_a_segment(item) && !is_lost(item)) {
    attempt(audio_fails_, written.faults, [&] {
      if (audio_fails_) keep_folder(written.faults);
      write_segment(item);
    });
    if (!audio_fails_) {
      fails_since_.reset();
    } else {
      const auto now = time_.clock->steady_now();
      if (!fails_since_) fails_since_ = now;
      if (!wait_ends_ || now - closed_at_.value_or(*fails_since_) < kMaxWait) return false;
      give_up(item);
    }
  }
  if (!is_for_disk_only(item) && !is_lost(item)) done.push_back(std::move(item));
  return true;
}

void DiskStage::write_segment(const pipeline::StreamItem& item) {
  if (const auto* opened = std::get_if<vad::SegmentOpened>(&item)) {
    writer_->open_segment(opened->index, opened->kept_start);
  } else if (const auto* audio = std::get_if<pipeline::SegmentAudio>(&item)) {
    writer_->append_segment(audio->index, audio->samples);
    to_sync_ = true;
  } else if (const auto* closed = std::get_if<vad::SegmentClosed>(&item)) {
    gaps_.forget_before(closed->kept_start);
    if (closed->kept) {
      writer_->close_segment(closed->index, closed->kept_end - closed->kept_start);
    } else {
      writer_->discard_segment(closed->index);
    }
    to_sync_ = true;
  }
}

void DiskStage::write_extra(const pipeline::StreamItem& item) {
  if (const auto* computed = std::get_if<pipeline::Probabilities>(&item)) {
    writer_->append_probabilities(computed->start_frame, computed->values);
  } else if (const auto* timeline = std::get_if<pipeline::TimelineAudio>(&item)) {
    writer_->append_timeline(timeline->samples);
    constexpr Frame kChunk = 65536;
    const std::vector<std::int16_t> zeros(static_cast<std::size_t>(std::min(kChunk, timeline->silence)));
    for (Frame left = timeline->silence; left > 0; left -= kChunk) {
      writer_->append_timeline(std::span(zeros).first(static_cast<std::size_t>(std::min(kChunk, left))));
    }
  }
}

/// Audio behind a part that was given up, and what refers to it.
bool DiskStage::is_lost(const pipeline::StreamItem& item) const {
  if (const auto* audio = std::get_if<pipeline::SegmentAudio>(&item)) return cut_.contains(audio->index);
  const auto* paused = std::get_if<pipeline::SpeechPaused>(&item);
  return paused != nullptr && cut_.contains(paused->index);
}

/// A segment whose end only cannot be written keeps all of its audio: the next recovery cuts the file.
void DiskStage::give_up(const pipeline::StreamItem& item) {
  if (const auto* opened = std::get_if<vad::SegmentOpened>(&item)) cut_.insert(opened->index);
  if (const auto* audio = std::get_if<pipeline::SegmentAudio>(&item)) cut_.insert(audio->index);
}

/// Ends a segment with what was written of it, and states what was not.
void DiskStage::close_cut(vad::SegmentClosed& closed, std::vector<pipeline::StreamItem>& done, Written& written) {
  const Frame wanted = closed.kept_end - closed.kept_start;
  // Only what has a name is kept when it is closed.
  const bool is_there = writer_ && writer_->folder().has(session::SessionWriter::segment_file(closed.index));
  const Frame frames = is_there ? std::min(wanted, writer_->segment_frames(closed.index)) : 0;
  const bool was_kept = closed.kept;
  closed.kept = was_kept && frames > 0;
  cut_.erase(closed.index);
  if (writer_)
    attempt(audio_fails_, written.faults, [&] {
      if (closed.kept) {
        writer_->close_segment(closed.index, frames);
      } else {
        writer_->discard_segment(closed.index);
      }
    });
  if (was_kept) {
    closed.kept_end = closed.kept_start + frames;
    closed.speech_end = std::max(closed.speech_start, std::min(closed.speech_end, closed.kept_end));
  }
  const Frame lost = was_kept ? wanted - frames : 0;
  done.emplace_back(closed);
  if (lost == 0) return;
  written.has_lost = true;
  lost_ += state_gap({closed.kept_end, lost, GapReason::disk}, done);
}

/// Passes on what of a gap is in no other one; returns how many frames that is.
Frame DiskStage::state_gap(const pipeline::GapEnded& gap, std::vector<pipeline::StreamItem>& done) {
  Frame frames = 0;
  for (const auto& piece : gaps_.add(gap.start_frame, gap.frames)) {
    done.emplace_back(pipeline::GapEnded{piece.start, piece.frames, gap.reason});
    frames += piece.frames;
  }
  return frames;
}

WrittenEvents DiskStage::write_events(std::vector<EventPointer> events) {
  WrittenEvents written;
  if (!writer_) return {.count = 0, .is_blocked = true, .faults = {}, .broken = {}};
  std::ranges::move(events, std::back_inserter(waiting_));
  bool is_in_place = false;
  while (!waiting_.empty()) {
    const Event& event = *waiting_.front();
    attempt(journal_fails_, written.faults, [&] {
      const bool fails = journal_fails_ || audio_fails_;
      if (!std::exchange(is_in_place, true) && (fails || should_keep_folder())) keep_folder(written.faults);
      if (writer_->is_journal_behind()) {
        writer_->flush_journal();  // its line is there already
      } else {
        writer_->record(event);
      }
    });
    if (writer_->is_journal_behind() || writer_->next_sequence() <= *event.sequence) {
      written.is_blocked = true;
      break;
    }
    to_sync_ = true;
    journal_->written.store(*event.sequence + 1);
    waiting_.pop_front();
    ++written.count;
  }
  written.broken = std::exchange(broken_, std::nullopt);
  return written;
}

std::vector<EventError> DiskStage::save_if_due() {
  std::vector<EventError> faults;
  const auto now = time_.clock->steady_now();
  if (!writer_ || now - last_manifest_ < kManifestEvery) return faults;
  last_manifest_ = now;
  attempt(summary_fails_, faults, [&] { writer_->save_manifest(); });
  return faults;
}

std::vector<std::string> DiskStage::due_for_sync() {
  if (!writer_ || !writer_->survives_power_cut()) return {};
  const auto now = time_.clock->steady_now();
  if (!to_sync_ || now - last_sync_ < kSyncEvery || syncs_) return {};
  to_sync_ = false;
  last_sync_ = now;
  return take_unsynced();
}

std::vector<std::string> DiskStage::take_unsynced() {
  if (!writer_ || !writer_->survives_power_cut()) return {};
  syncs_ = true;
  return writer_->take_unsynced();
}

std::vector<EventError> DiskStage::sync(const std::vector<std::string>& files) {
  std::vector<EventError> faults;
  if (files.empty()) return faults;
  const std::shared_ptr<const journal::SessionFolder> folder = *folder_.lock();  // not locked while the disk is slow
  attempt(sync_fails_, faults, [&] { session::SessionWriter::sync(*folder, files); });
  syncs_ = false;
  return faults;
}

std::vector<EventError> DiskStage::capture_ended() {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  stopped_at_ = time_.clock->now();
  attempt(summary_fails_, faults, [&] { keep_folder(faults); });
  attempt(summary_fails_, faults, [&] { writer_->save_manifest(); });
  return faults;
}

std::vector<RevisedNote> DiskStage::revised_notes(const notes::NotePhrases& phrases) const {
  if (!writer_) return {};
  return recorder::revised_notes(*writer_, phrases);
}

void DiskStage::update_index() {
  const std::filesystem::path session = *journal_->session.lock();  // not locked while other processes are waited for
  session::update_index(session);
}

std::vector<EventError> DiskStage::finish() {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  attempt(summary_fails_, faults, [&] { keep_folder(faults); });
  attempt(summary_fails_, faults, [&] { writer_->finish(stopped_at_); });
  writer_.reset();  // and with it the lock, whoever still holds us
  return faults;
}

}  // namespace dictum::recorder
