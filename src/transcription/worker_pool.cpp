#include "transcription/worker_pool.hpp"

#include <utility>
#include <variant>

#include "transcription/job_message.hpp"

namespace dictum::transcription {

using Work = WorkerLane::Work;

WorkerPool::WorkerPool(const boost::asio::any_io_executor& strand, WorkerPoolSettings settings,
                       std::shared_ptr<const Clock> clock, WorkerPoolEvents events,
                       std::shared_ptr<const Timers> timers, const StartWorker& start)
    : settings_(std::move(settings)),
      clock_(std::move(clock)),
      posted_(strand),
      reports_(posted_, std::move(events)),
      lanes_(strand, settings_, clock_, *timers, start,
             {.on_action =
                  [this](WorkerLane& lane, WorkerSlot::Action action) {
                    std::visit([&](auto& which) { carry_out(lane, std::move(which)); }, action);
                  },
              .on_death =
                  [this](const WorkerLane& lane) {
                    if (lane.work != Work::job) queue_.note_death();
                  },
              .on_change = [this] { dispatch_soon(); }}),
      queue_({.attempts = settings_.attempts, .outage_patience = settings_.outage_patience}),
      ahead_(lanes_, settings_.language, settings_.preview_interval),
      start_failures_({.starts = settings_.attempts,
                       .start_patience = settings_.start_patience,
                       .outage_patience = settings_.outage_patience}) {}

WorkerPool::~WorkerPool() {
  WorkerPool::abandon();
}

// What a slot asks for.

void WorkerPool::carry_out(WorkerLane& lane, WorkerSlot::Report action) {
  reports_.status(lane.name, std::move(action));
}

void WorkerPool::carry_out(WorkerLane& lane, WorkerSlot::PartialText action) {
  if (lane.work != Work::job) return;
  Agreement* const of_preview = ahead_.agreement_of(lane.job);
  Agreement& agreement = of_preview != nullptr ? *of_preview : lane.agreement;
  reports_.partial(lane.job, agreement.with_next(std::move(action.text)));
}

void WorkerPool::carry_out(WorkerLane& lane, WorkerSlot::Answered action) {
  const Work work = std::exchange(lane.work, Work::none);
  if (work == Work::interim) {
    const TranscriptionJob& job = ahead_.previewed();
    return reports_.partial(job, ahead_.agreement_of(job)->with_next(std::move(action.result.text)));
  }
  TranscriptionOutcome outcome = outcome_of(lane.job, std::move(action.result));
  outcome.processing_time = clock_->steady_now() - lane.started;
  queue_.note_answer();
  if (work == Work::early) {
    if (Agreement* const agreement = ahead_.agreement_of(lane.job)) {  // if speech goes on, it was no more than that
      reports_.partial(lane.job, agreement->with_next(outcome.text));
    }
    ahead_.early_answered(std::move(outcome));
  } else {
    reports_.outcome(std::move(lane.entry.source), lane.entry.segment, std::move(outcome));
  }
}

void WorkerPool::carry_out(WorkerLane& lane, WorkerSlot::TaskFailed action) {
  const Work work = std::exchange(lane.work, Work::none);
  if (work == Work::early) ahead_.early_failed();
  if (work == Work::interim) ahead_.interim_failed();
  if (work != Work::job) return;
  const auto now = clock_->steady_now();
  const auto source = lane.entry.source;
  const std::uint32_t segment = lane.entry.segment;
  auto failure = queue_.take_back(std::move(lane.entry), std::move(action.failure), action.fresh, now);
  if (!failure) return;
  TranscriptionOutcome outcome = failed_outcome(std::move(failure->code), std::move(failure->message));
  outcome.processing_time = now - lane.started;
  reports_.outcome(source, segment, std::move(outcome));
}

void WorkerPool::carry_out(WorkerLane& /*lane*/, WorkerSlot::Ready) {
  start_failures_.clear();
  reports_.prepared(std::nullopt);
}

void WorkerPool::carry_out(WorkerLane& /*lane*/, const WorkerSlot::StartFailed& action) {
  const WorkerFailure& failure = action.failure;
  const bool is_hopeless = failure.cause == FailureCause::settings;
  reports_.prepared(is_hopeless ? std::optional(EventError{failure.code, failure.message}) : std::nullopt);
  if (!is_hopeless && lanes_.has_ready_worker()) return;
  const auto reason = start_failures_.add(failure, clock_->steady_now());
  if (!reason) return;
  if (is_hopeless) return fail_waiting(*reason);
  for (const auto& source : queue_.sources()) reports_.no_worker(source, *reason);
}

void WorkerPool::fail_waiting(const WorkerFailure& failure) {
  while (auto entry = queue_.pop({.fresh = true, .background = true})) {
    reports_.failure(std::move(entry->source), entry->segment, failure);
  }
}

// Who runs what.

void WorkerPool::dispatch_soon() {
  if (!posted_.is_open() || std::exchange(dispatching_, true)) return;
  posted_.post([this] {
    dispatching_ = false;
    dispatch();
  });
}

void WorkerPool::dispatch() {
  for (WorkerLane& lane : lanes_) assign(lane);
  if (!queue_.empty()) ahead_.cancel();
  const bool fits_fresh = queue_.has_job_for({.fresh = true, .background = lanes_.has_room_for_background()});
  lanes_.start({.waiting = queue_.size(), .fits_fresh = fits_fresh, .is_awaited = reports_.is_awaited()});
  if (!queue_.empty() || !ahead_.has_early_to_run()) return;
  if (WorkerLane* const lane = lane_for_extra_work()) ahead_.run_early(*lane);
}

void WorkerPool::assign(WorkerLane& lane) {
  while (lane.is_idle()) {
    auto entry = queue_.pop({.fresh = lane.driver.is_fresh(), .background = lanes_.has_room_for_background()});
    if (!entry) return;
    give(lane, *std::move(entry));
  }
}

/// Runs the job, unless it is not wanted any more or cannot be given to any worker.
void WorkerPool::give(WorkerLane& lane, QueuedJob entry) {
  auto job = job_of(*entry.source, entry.segment, settings_.language);
  if (!job) return;
  if (const auto problem = problem_of(*job, lane.driver.hello())) {
    return reports_.outcome(std::move(entry.source), entry.segment, failed_outcome(problem->code, problem->message));
  }
  lane.entry = std::move(entry);
  lane.job = *std::move(job);
  lane.agreement = {};
  Job message = message_of(lane.job, lane.entry.attempts);
  message.background = lane.entry.priority == Priority::background;
  lanes_.run(lane, Work::job, std::move(message), seconds_of(lane.job));
}

/// Where no worker is idle, one is started for the next time.
WorkerLane* WorkerPool::lane_for_extra_work() {
  WorkerLane* const lane = lanes_.idle_for_extra_work();
  if (lane == nullptr) start_extra_worker();
  return lane;
}

void WorkerPool::start_extra_worker() {
  if (!start_failures_.refusal(clock_->steady_now())) lanes_.start_extra();
}

// What the recorder asks for.

void WorkerPool::submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) {
  if (!posted_.is_open()) return;
  if (const auto refusal = start_failures_.refusal(clock_->steady_now())) {
    return reports_.failure(std::move(source), segment, *refusal);
  }
  if (auto early = ahead_.take_over(source, segment)) {
    if (early->outcome) return reports_.outcome(std::move(source), segment, *std::move(early->outcome));
    if (early->lane != nullptr) {
      early->lane->work = Work::job;
      early->lane->entry = queue_.begun(std::move(source), segment, priority);
      return;
    }
  }
  queue_.push(std::move(source), segment, priority);
  dispatch_soon();
}

void WorkerPool::begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) {
  if (!posted_.is_open()) return;
  ahead_.begin_early(std::move(source), segment);
  dispatch_soon();
}

void WorkerPool::prepare(std::function<void(std::optional<EventError>)> done) {
  if (!posted_.is_open()) return;
  reports_.await_prepared(std::move(done));
  if (lanes_.has_ready_worker()) return reports_.prepared(std::nullopt);
  dispatch_soon();
}

void WorkerPool::warm_up() {
  if (posted_.is_open() && !lanes_.has_ready_worker()) start_extra_worker();
}

void WorkerPool::preview(TranscriptionJob growing) {
  if (!posted_.is_open()) return;
  const auto now = clock_->steady_now();
  if (!ahead_.preview(std::move(growing), now) || !queue_.empty()) return;
  if (WorkerLane* const lane = lane_for_extra_work()) ahead_.run_interim(*lane, now);
}

void WorkerPool::abandon() {
  posted_.close();
  queue_.clear();
  ahead_.abandon();
  reports_.cancel_prepared();
  lanes_.abandon();
}

}  // namespace dictum::transcription
