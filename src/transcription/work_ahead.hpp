#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dictum/transcriber.hpp"
#include "transcription/agreement.hpp"
#include "transcription/job_source.hpp"
#include "transcription/worker_lanes.hpp"

namespace dictum::transcription {

/// The open segment, for interim texts; or the last one that was, for the text of its final job.
struct SegmentPreview {
  TranscriptionJob job;
  Frame asked_to = 0;
  std::optional<std::chrono::steady_clock::time_point> asked_at;
  Agreement agreement;
  bool given_up = false;
};

/// What the workers of a pool do before it is asked for, and the rules of when: the job of a segment that has probably
/// ended, and interim texts of the one that is being spoken.
///
/// Threads: lives on the pool's strand. No clock of its own. Owner: the pool, as of `lanes`, which outlives this.
class WorkAhead {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `language`: for jobs that name none. `interval`: between two interim texts.
  WorkAhead(WorkerLanes& lanes, std::string language, std::chrono::milliseconds interval);

  // The early job. There is at most one.

  void begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment);
  void cancel_early(std::uint32_t segment);

  /// Whether one was asked for that no worker has begun.
  bool has_early_to_run() const { return early_ && early_->lane == nullptr && !early_->outcome; }

  /// Runs it on an idle worker, unless it is not wanted any more or the worker cannot.
  void run_early(WorkerLane& lane);
  void early_answered(TranscriptionOutcome outcome);
  void early_failed() { early_.reset(); }

  /// An early job that has been submitted: from now on it is no longer ahead.
  struct TakenOver {
    WorkerLane* lane = nullptr;  ///< that runs it
    std::optional<TranscriptionOutcome> outcome{};
  };

  /// Empty where the segment is not the early one. Without a lane and an outcome where no worker has begun it.
  std::optional<TakenOver> take_over(const std::shared_ptr<JobSource>& source, std::uint32_t segment);

  // Interim texts.

  /// The segment that is being spoken, as far as it has come. Returns whether a text of it is due.
  bool preview(TranscriptionJob growing, Time now);

  /// Asks an idle worker for the text, unless it cannot give it.
  void run_interim(WorkerLane& lane, Time now);
  void end_preview(std::uint32_t segment);

  /// The text of `run_interim` has come, of this segment.
  const TranscriptionJob& previewed() const { return preview_->job; }

  /// A segment may have killed its worker: no more texts are asked for it.
  void interim_failed() { preview_->given_up = true; }

  /// Where the texts of `job` so far are kept: also the final job of a segment continues its interim texts. Null where
  /// it had none.
  Agreement* agreement_of(const TranscriptionJob& job);

  /// Final texts do not wait for what may be of no use.
  void cancel();
  void abandon();

 private:
  struct Early {
    std::shared_ptr<JobSource> source;
    std::uint32_t segment{};
    WorkerLane* lane = nullptr;  // that runs it
    std::optional<TranscriptionOutcome> outcome{};
  };

  void stop_early();

  WorkerLanes& lanes_;
  const std::string language_;
  const std::chrono::milliseconds interval_;
  std::optional<Early> early_;
  std::optional<SegmentPreview> preview_;
};

}  // namespace dictum::transcription
