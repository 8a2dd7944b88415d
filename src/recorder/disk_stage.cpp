#include "recorder/disk_stage.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/outcome.hpp"
#include "dictum/error.hpp"
#include "session/library.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
constexpr auto kManifestEvery = 10s;
constexpr auto kSyncEvery = 1s;

bool goes_to_a_file(const pipeline::StreamItem& item) {
  return std::holds_alternative<vad::SegmentOpened>(item) || std::holds_alternative<pipeline::SegmentAudio>(item) ||
         std::holds_alternative<vad::SegmentClosed>(item) || std::holds_alternative<pipeline::TimelineAudio>(item) ||
         std::holds_alternative<pipeline::Probabilities>(item);
}

}  // namespace

DiskStage::DiskStage(session::SessionWriter writer, std::shared_ptr<const Clock> clock,
                     std::shared_ptr<delivery::JournalView> journal)
    : writer_(std::move(writer)),
      clock_(std::move(clock)),
      journal_(std::move(journal)),
      last_manifest_(clock_->steady_now()),
      last_sync_(last_manifest_) {}

template <class Write>
void DiskStage::attempt(bool& fails, std::vector<EventError>& faults, Write write) {
  try {
    write();
    fails = false;
  } catch (...) {
    if (!std::exchange(fails, true)) faults.push_back(error_of_current_exception());
  }
}

std::vector<EventError> DiskStage::write(const std::vector<pipeline::StreamItem>& items) {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  for (const pipeline::StreamItem& item : items) {
    if (const auto* progress = std::get_if<pipeline::Progress>(&item)) {
      writer_->progress(progress->captured, progress->now, 0);
    } else if (const auto* end = std::get_if<pipeline::Closed>(&item)) {
      writer_->progress(end->captured, end->now, end->drift_ppm);
    } else if (goes_to_a_file(item)) {
      attempt(audio_fails_, faults, [&] { write_item(item); });
    }
  }
  return faults;
}

void DiskStage::write_item(const pipeline::StreamItem& item) {
  if (const auto* opened = std::get_if<vad::SegmentOpened>(&item)) {
    writer_->open_segment(opened->index, opened->kept_start);
  } else if (const auto* audio = std::get_if<pipeline::SegmentAudio>(&item)) {
    writer_->append_segment(audio->index, audio->samples);
    to_sync_ = true;
  } else if (const auto* closed = std::get_if<vad::SegmentClosed>(&item)) {
    if (closed->kept) {
      writer_->close_segment(closed->index, closed->kept_end - closed->kept_start);
    } else {
      writer_->discard_segment(closed->index);
    }
    to_sync_ = true;
  } else if (const auto* computed = std::get_if<pipeline::Probabilities>(&item)) {
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

Recorded DiskStage::record(std::vector<EventPointer> events) {
  Recorded recorded;
  if (!writer_) return {.written = 0, .is_blocked = true, .faults = {}};
  std::ranges::move(events, std::back_inserter(waiting_));
  while (!waiting_.empty()) {
    const Event& event = *waiting_.front();
    attempt(journal_fails_, recorded.faults, [&] {
      if (writer_->is_journal_behind()) {
        writer_->flush_journal();  // its line is there already
      } else {
        writer_->record(event);
      }
    });
    if (writer_->is_journal_behind() || writer_->next_sequence() <= *event.sequence) {
      recorded.is_blocked = true;
      break;
    }
    to_sync_ = true;
    journal_->written.store(*event.sequence + 1);
    waiting_.pop_front();
    ++recorded.written;
  }
  return recorded;
}

std::vector<EventError> DiskStage::save_if_due() {
  std::vector<EventError> faults;
  const auto now = clock_->steady_now();
  if (!writer_ || now - last_manifest_ < kManifestEvery) return faults;
  last_manifest_ = now;
  attempt(summary_fails_, faults, [&] { writer_->save_manifest(); });
  return faults;
}

std::vector<std::string> DiskStage::due_for_sync() {
  if (!writer_ || !writer_->survives_power_cut()) return {};
  const auto now = clock_->steady_now();
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
  attempt(sync_fails_, faults, [&] { session::SessionWriter::sync(journal_->session, files); });
  syncs_ = false;
  return faults;
}

std::vector<EventError> DiskStage::capture_ended() {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  stopped_at_ = clock_->now();
  attempt(summary_fails_, faults, [&] { writer_->save_manifest(); });
  return faults;
}

std::vector<RevisedNote> DiskStage::revised_notes(const notes::NotePhrases& phrases) const {
  if (!writer_) return {};
  return recorder::revised_notes(*writer_, phrases);
}

void DiskStage::update_index() {
  session::update_index(journal_->session);
}

std::vector<EventError> DiskStage::finish() {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  attempt(summary_fails_, faults, [&] { writer_->finish(stopped_at_); });
  writer_.reset();  // and with it the lock, whoever still holds us
  return faults;
}

}  // namespace dictum::recorder
