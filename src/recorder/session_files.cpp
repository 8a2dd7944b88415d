#include "recorder/session_files.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::recorder {
namespace {

constexpr auto kDiskRetry = std::chrono::milliseconds(200);

}  // namespace

SessionFiles::SessionFiles(Keeper keep, TimeSource time, StrandCalls& calls, Callbacks callbacks)
    : keep_(std::move(keep)),
      time_(std::move(time)),
      callbacks_(std::move(callbacks)),
      calls_(calls),
      retry_(time_.timers->make_timer(calls.loop())) {}

void SessionFiles::open(const Strands& strands, session::SessionWriter writer, std::uint64_t journaled) {
  strands_ = strands;
  former_path_ = writer.path();
  *journal_->session.lock() = former_path_;
  journal_->written = journaled;
  disk_ = owned_by_strand(strands_.disk, std::make_unique<DiskStage>(std::move(writer), time_, journal_));
}

void SessionFiles::release() {
  retry_->cancel();
  capture_.reset();
  disk_.reset();
}

// --- Audio -----------------------------------------------------------------------------------------------------------

pipeline::CaptureLoop::Sink SessionFiles::take_audio_of(OnStrand<pipeline::CaptureLoop> capture, int sample_rate) {
  capture_ = std::move(capture);
  sample_rate_ = sample_rate;
  return [this, owner = keep_(), disk = disk_,
          weak = std::weak_ptr(capture_)](std::vector<pipeline::StreamItem> items) {
    watch();
    const auto calling = weak.lock();
    InFlight in_flight(calling, strands_.listen, pipeline::bytes_of(items));
    Batch batch{.items = std::move(items), .in_flight = std::move(in_flight), .source_can_wait = calling->can_wait()};
    boost::asio::post(strands_.disk, [this, owner, disk, batch = std::move(batch)]() mutable {
      disk->push(std::move(batch));
      write(disk);
      watch_.answered(time_.clock->steady_now());
    });
  };
}

/// On `listen`, before it gives a batch to the disk.
void SessionFiles::watch() {
  if (!watch_.asked(time_.clock->steady_now())) return;
  boost::asio::post(strands_.loop, [this, owner = keep_()] {
    callbacks_.stopped_answering();
    callbacks_.report({{to_string(Errc::timed_out),
                        fmt::format("The disk of '{}' does not answer.{}", path().string(), memory_sentence())}});
  });
}

/// On `disk`: writes what waits, and passes on what the loop may process.
void SessionFiles::write(const OnStrand<DiskStage>& disk) {
  auto result = disk->write();
  std::optional<WrittenEvents> retried;
  if (disk->has_waiting()) retried = disk->write_events({});
  const bool is_waiting = result.is_waiting || disk->has_waiting();
  boost::asio::post(strands_.loop, [this, owner = keep_(), result = std::move(result), retried = std::move(retried),
                                    is_waiting]() mutable {
    if (retried) wrote_events(*retried);
    written(result);
    if (is_waiting) write_later();
  });
  if (auto later = disk->save_if_due(); !later.empty()) report_later(std::move(later));
  if (auto files = disk->due_for_sync(); !files.empty()) {
    boost::asio::post(strands_.sync, [this, owner = keep_(), disk, files = std::move(files)] {
      if (auto later = disk->sync(files); !later.empty()) report_later(std::move(later));
    });
  }
}

void SessionFiles::written(Written& written) {
  has_lost_audio_ = has_lost_audio_ || written.has_lost;
  follow_folder();
  if (written.is_waiting) {
    for (EventError& fault : written.faults) fault.message += memory_sentence();
    report_full_memory();
  } else {
    memory_is_full_ = false;
  }
  callbacks_.report(written.faults);
  if (written.broken) callbacks_.end_broken(*written.broken);
  for (const Batch& batch : written.batches) callbacks_.audio_written(batch.items);
}

void SessionFiles::report_full_memory() {
  const bool is_full = capture_ && !capture_->backlog().can_wait() && capture_->backlog().is_at_limit();
  if (!is_full || std::exchange(memory_is_full_, true)) return;
  callbacks_.report(
      {{to_string(Errc::disk_full),
        fmt::format("Audio is being lost: '{}' cannot be written, and the memory for what waits is full. Free some "
                    "space; the gap is stated as soon as it ends.",
                    path().string())}});
}

/// Jobs, and whoever asks for the session, get the path that the disk has found to be the new one.
void SessionFiles::follow_folder() {
  const std::filesystem::path now = path();
  if (now != former_path_) callbacks_.moved(std::exchange(former_path_, now), now);
}

/// How long a recording goes on without the disk.
std::string SessionFiles::memory_sentence() const {
  if (!capture_ || capture_->backlog().can_wait()) return {};
  const auto bytes_a_second = static_cast<std::int64_t>(sample_rate_) * 2;
  return fmt::format(" Recording continues in memory, which lasts for about {} s of speech.",
                     capture_->backlog().room() / bytes_a_second);
}

void SessionFiles::write_later() {
  if (retry_->is_running() || !disk_ || calls_.lifecycle().is_abandoned()) return;
  retry_->start(kDiskRetry,
                [this] { boost::asio::post(strands_.disk, [this, owner = keep_(), disk = disk_] { write(disk); }); });
}

/// From any strand.
void SessionFiles::report_later(std::vector<EventError> faults) {
  boost::asio::post(strands_.loop, [this, owner = keep_(), faults = std::move(faults)] { callbacks_.report(faults); });
}

// --- Events and the end ----------------------------------------------------------------------------------------------

bool SessionFiles::write_events(std::vector<EventPointer> events) {
  if (!disk_) return false;
  ++event_writes_;
  boost::asio::post(strands_.disk, [this, owner = keep_(), disk = disk_, events = std::move(events)]() mutable {
    auto result = disk->write_events(std::move(events));
    boost::asio::post(strands_.loop, [this, owner, result = std::move(result)] {
      --event_writes_;
      wrote_events(result);
    });
  });
  return true;
}

void SessionFiles::wrote_events(const WrittenEvents& written) {
  follow_folder();
  callbacks_.events_written(written);
}

boost::asio::awaitable<bool> SessionFiles::complete() {
  const auto complete = [disk = disk_] { return disk->capture_ended(); };
  const auto faults = co_await calls_.on(strands_.disk, complete);
  if (!faults) co_return false;
  follow_folder();
  callbacks_.report(*faults);
  const auto list = [disk = disk_] { return disk->take_unsynced(); };
  auto files = co_await calls_.on(strands_.disk, list);
  if (!files) co_return false;
  const auto sync = [disk = disk_, files = *std::move(files)] { return disk->sync(files); };
  const auto sync_faults = co_await calls_.on(strands_.sync, sync);
  if (!sync_faults) co_return false;
  callbacks_.report(*sync_faults);
  co_return true;
}

boost::asio::awaitable<std::optional<std::vector<RevisedNote>>> SessionFiles::revised_notes(
    notes::NotePhrases phrases) {
  const auto revise = [disk = disk_, phrases = std::move(phrases)] { return disk->revised_notes(phrases); };
  co_return co_await calls_.on(strands_.disk, revise);
}

boost::asio::awaitable<std::optional<std::vector<EventError>>> SessionFiles::close() {
  const auto finish = [disk = disk_] { return disk->finish(); };
  auto faults = co_await calls_.on(strands_.disk, finish);
  // It may wait for other processes, and the next recording writes on `disk`.
  boost::asio::post(strands_.work, [disk = disk_] { disk->update_index(); });
  co_return faults;
}

}  // namespace dictum::recorder
