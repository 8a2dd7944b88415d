#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/timer.hpp"
#include "dictum/clock.hpp"
#include "dictum/event.hpp"
#include "dictum/transcriber.hpp"
#include "transcription/job_queue.hpp"
#include "transcription/job_runner.hpp"
#include "transcription/pool_reports.hpp"
#include "transcription/posted_calls.hpp"
#include "transcription/start_failures.hpp"
#include "transcription/work_ahead.hpp"
#include "transcription/worker_lanes.hpp"
#include "transcription/worker_pool_settings.hpp"
#include "transcription/worker_process.hpp"

namespace dictum::transcription {

/// Transcribes in warm, supervised, expendable worker processes: carries out what `WorkerSlot`, `JobQueue` and
/// `WorkAhead` decide.
///
/// Threads: lives on the serial executor that it was made with, where all its methods are called; never blocks.
/// Owner: the recorder; serves any number of sessions.
/// Failures: never throws for what a worker does; each job ends in exactly one outcome, and a failed one says why.
/// While no worker can be started jobs wait, and their source is notified. Workers are started when there is work.
/// While none has a job, no timer runs (but for `unload_after` and a pause after a failure).
class WorkerPool final : public JobRunner {
 public:
  /// `timers` and `start` are the machine's own outside tests.
  WorkerPool(const boost::asio::any_io_executor& strand, WorkerPoolSettings settings,
             std::shared_ptr<const Clock> clock, WorkerPoolEvents events,
             std::shared_ptr<const Timers> timers = std::make_shared<SystemTimers>(),
             const StartWorker& start = start_worker_process);
  ~WorkerPool() override;

  /// Live jobs go first, in the order of their submission; background jobs leave a worker to the live ones where there
  /// are several.
  void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority = Priority::live) override;

  /// Only where a worker is idle that no final text has to wait for.
  void begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) override;

  /// The worker stays warm.
  void cancel_early(std::uint32_t segment) override { ahead_.cancel_early(segment); }

  /// Starts a worker where none is there.
  void warm_up() override;

  /// Starts a worker, so that the first job finds a loaded model, and reports whether the settings can work at all: an
  /// error where the program, the model or the language never will, with what to write instead; nothing as soon as a
  /// worker is ready or failed for another reason, which is tried again.
  void prepare(std::function<void(std::optional<EventError>)> done) override;

  void preview(TranscriptionJob growing) override;
  void end_preview(std::uint32_t segment_index) override { ahead_.end_preview(segment_index); }
  void abandon() override;

 private:
  // Actions of a worker's slot.
  void carry_out(WorkerLane& lane, WorkerSlot::Report action);
  void carry_out(WorkerLane& lane, WorkerSlot::PartialText action);
  void carry_out(WorkerLane& lane, WorkerSlot::Answered action);
  void carry_out(WorkerLane& lane, WorkerSlot::TaskFailed action);
  void carry_out(WorkerLane& lane, WorkerSlot::Ready action);
  void carry_out(WorkerLane& lane, const WorkerSlot::StartFailed& action);
  template <class Action>
  void carry_out(WorkerLane& /*lane*/, const Action& /*carried_out_by_the_driver*/) {}

  void dispatch_soon();
  void dispatch();
  void assign(WorkerLane& lane);
  void give(WorkerLane& lane, QueuedJob entry);
  WorkerLane* lane_for_extra_work();
  void start_extra_worker();
  void fail_waiting(const WorkerFailure& failure);

  const WorkerPoolSettings settings_;
  const std::shared_ptr<const Clock> clock_;

  PostedCalls posted_;  // closed where the pool was abandoned
  PoolReports reports_;
  WorkerLanes lanes_;
  JobQueue queue_;
  WorkAhead ahead_;
  StartFailures start_failures_;
  bool dispatching_ = false;  // a call of `dispatch` is queued
};

}  // namespace dictum::transcription
