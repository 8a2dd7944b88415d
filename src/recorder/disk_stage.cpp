#include "recorder/disk_stage.hpp"

#include <utility>

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
  } catch (const RecorderError& error) {
    if (!std::exchange(fails, true)) {
      faults.push_back({to_string(static_cast<Errc>(error.code().value())), error.what()});
    }
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
  } else if (const auto* closed = std::get_if<vad::SegmentClosed>(&item)) {
    if (closed->kept) {
      writer_->close_segment(closed->index, closed->kept_end - closed->kept_start);
    } else {
      writer_->discard_segment(closed->index);
    }
    to_sync_ = true;
  } else if (const auto* judged = std::get_if<pipeline::Probabilities>(&item)) {
    writer_->append_probabilities(judged->start_frame, judged->values);
  } else if (const auto* timeline = std::get_if<pipeline::TimelineAudio>(&item)) {
    writer_->append_timeline(timeline->samples);
    constexpr Frame kChunk = 65536;
    const std::vector<std::int16_t> zeros(static_cast<std::size_t>(std::min(kChunk, timeline->silence)));
    for (Frame left = timeline->silence; left > 0; left -= kChunk) {
      writer_->append_timeline(std::span(zeros).first(static_cast<std::size_t>(std::min(kChunk, left))));
    }
  }
}

std::vector<EventError> DiskStage::record(const std::vector<Event>& events) {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  for (const Event& event : events) {
    attempt(journal_fails_, faults, [&] {
      writer_->record(event);
      journal_->written.store(*event.sequence + 1);
    });
  }
  return faults;
}

std::vector<EventError> DiskStage::tend() {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  const auto now = clock_->steady_now();
  if (to_sync_ && now - last_sync_ >= kSyncEvery) {
    to_sync_ = false;
    last_sync_ = now;
    attempt(summary_fails_, faults, [&] { writer_->sync(); });
  }
  if (now - last_manifest_ >= kManifestEvery) {
    last_manifest_ = now;
    attempt(summary_fails_, faults, [&] { writer_->save_manifest(); });
  }
  return faults;
}

std::vector<EventError> DiskStage::capture_ended() {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  stopped_at_ = clock_->now();
  attempt(summary_fails_, faults, [&] { writer_->sync(); });
  attempt(summary_fails_, faults, [&] { writer_->save_manifest(); });
  return faults;
}

std::vector<RevisedNote> DiskStage::revised_notes(const notes::NotePhrases& phrases) const {
  if (!writer_) return {};
  return recorder::revised_notes(*writer_, phrases);
}

void DiskStage::tell_index() {
  session::tell_index(journal_->session);
}

std::vector<EventError> DiskStage::finish() {
  std::vector<EventError> faults;
  if (!writer_) return faults;
  attempt(summary_fails_, faults, [&] { writer_->finish(stopped_at_); });
  writer_.reset();  // and with it the lock, whoever still holds us
  return faults;
}

}  // namespace dictum::recorder
