#include "transcription/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "dictum/error.hpp"
#include "transcription/agreement.hpp"
#include "transcription/job_message.hpp"
#include "transcription/slot_driver.hpp"
#include "transcription/start_failures.hpp"
#include "transcription/worker_text.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kQuickCancelMs = 100;  // a worker that promises this may work ahead though it is the only one

enum class Work { none, job, early, interim };

/// One worker and what it works on.
struct Lane {
  Lane(std::string worker_name, WorkerSlot::Settings settings, SlotDriver::Parts parts, const Timers& timers)
      : name(std::move(worker_name)), driver(std::move(settings), std::move(parts), timers) {}

  const std::string name;
  SlotDriver driver;
  Work work = Work::none;  // that somebody still waits for
  QueuedJob entry;         // of Work::job
  TranscriptionJob job;    // of Work::job and Work::early
  SteadyTime started;
  Agreement agreement;  // of the partial texts of Work::job

  WorkerSlot::State state() const { return driver.state(); }
  bool is_idle() const { return state() == WorkerSlot::State::idle; }
};

/// The segment that is transcribed before its end is certain.
struct EarlyJob {
  std::shared_ptr<JobSource> source;
  std::uint32_t segment{};
  Lane* lane = nullptr;  // that runs it
  std::optional<TranscriptionOutcome> outcome{};
};

/// The open segment, for interim text; or the last one that was, for that of its final job.
struct Preview {
  TranscriptionJob job;
  Frame asked_to = 0;
  std::optional<SteadyTime> asked_at;
  Agreement agreement;
  bool given_up = false;  // it may have killed a worker
};

}  // namespace

/// The pool itself. Shared, since handlers that are posted to the strand can come after the end of `WorkerPool`.
class WorkerPool::State : public std::enable_shared_from_this<State> {
 public:
  State(boost::asio::any_io_executor strand, WorkerPoolSettings settings, std::shared_ptr<const Clock> clock,
        WorkerPoolEvents events, const Timers& timers, const StartWorker& start);

  void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority);
  void begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment);
  void cancel_early(std::uint32_t segment);
  void warm_up();
  void prepare(std::function<void(std::optional<EventError>)> done);
  void preview(TranscriptionJob growing);
  void end_preview(std::uint32_t segment);
  void abandon();

 private:
  /// Calls `callback` later, so that no callback runs inside a call of its owner, and not once abandoned.
  template <class Callback>
  void publish(Callback callback) {
    boost::asio::post(strand_, [self = shared_from_this(), callback = std::move(callback)]() mutable {
      if (!self->abandoned_) callback();
    });
  }
  void publish_outcome(std::shared_ptr<JobSource> source, std::uint32_t segment, TranscriptionOutcome outcome);
  void publish_partial(const TranscriptionJob& job, Agreement::Version version);
  void publish_prepared(const std::optional<EventError>& error);

  void add_lane(int number, const Timers& timers, const StartWorker& start);

  // Actions of a lane's slot.
  void carry_out(Lane& lane, WorkerSlot::Report action);
  void carry_out(Lane& lane, WorkerSlot::PartialText action);
  void carry_out(Lane& lane, WorkerSlot::Answered action);
  void carry_out(Lane& lane, WorkerSlot::TaskFailed action);
  void carry_out(Lane& lane, WorkerSlot::Ready action);
  void carry_out(Lane& lane, const WorkerSlot::StartFailed& action);
  template <class Action>
  void carry_out(Lane& /*lane*/, const Action& /*carried_out_by_the_driver*/) {}

  void dispatch_soon();
  void dispatch();
  void assign(Lane& lane);
  void give(Lane& lane, QueuedJob entry);
  void run(Lane& lane, Work work, Job message, double seconds);
  void start_workers();
  void run_early();
  void cancel(Lane& lane);
  void cancel_work(Work work);
  JobQueue::Offer offer_of(bool fresh) const;
  Lane* lane_for_extra_work();
  void start_extra_worker();
  void fail_waiting(const WorkerFailure& failure);

  std::optional<TranscriptionJob> job_of(JobSource& source, std::uint32_t segment) const {
    auto job = source.job(segment);
    if (job && job->language.empty()) job->language = settings_.language;
    return job;
  }
  bool is_previewed(const TranscriptionJob& job) const {
    return preview_ && preview_->job.segment_index == job.segment_index && preview_->job.session == job.session;
  }
  bool has_ready_worker() const {
    return std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.driver.is_ready(); });
  }
  std::ptrdiff_t count(WorkerSlot::State state) const {
    return std::ranges::count_if(lanes_, [&](const Lane& lane) { return lane.state() == state; });
  }

  const boost::asio::any_io_executor strand_;
  const WorkerPoolSettings settings_;
  const std::shared_ptr<const Clock> clock_;
  const WorkerPoolEvents events_;

  std::deque<Lane> lanes_;  // callbacks refer to its elements
  JobQueue queue_;
  std::optional<EarlyJob> early_;
  std::optional<Preview> preview_;
  std::vector<std::function<void(std::optional<EventError>)>> prepared_;  // to be called back
  StartFailures start_failures_;
  bool dispatching_ = false;  // a call of `dispatch` is queued
  bool abandoned_ = false;
};

WorkerPool::State::State(boost::asio::any_io_executor strand, WorkerPoolSettings settings,
                         std::shared_ptr<const Clock> clock, WorkerPoolEvents events, const Timers& timers,
                         const StartWorker& start)
    : strand_(std::move(strand)),
      settings_(std::move(settings)),
      clock_(std::move(clock)),
      events_(std::move(events)),
      queue_({.attempts = settings_.attempts, .outage_patience = settings_.outage_patience}),
      start_failures_({.starts = settings_.attempts,
                       .start_patience = settings_.start_patience,
                       .outage_patience = settings_.outage_patience}) {
  for (int i = 0; i < std::max(settings_.workers, 1); ++i) add_lane(i, timers, start);
}

void WorkerPool::State::add_lane(int number, const Timers& timers, const StartWorker& start) {
  WorkerSlot::Settings slot{.program = settings_.executable.string(),
                            .language = settings_.language,
                            .hello_timeout = settings_.hello_timeout,
                            .backoff = settings_.backoff,
                            .ping_interval = settings_.ping_interval,
                            .lost_pings = settings_.lost_pings,
                            .unload_after = settings_.unload_after};
  WorkerCommand command{.executable = settings_.executable,
                        .arguments = {},
                        .environment = settings_.environment,
                        .guard = settings_.guard,
                        .memory_cap = settings_.memory_cap};
  if (!settings_.model.empty()) command.arguments = {"--model", settings_.model};
  const auto index = static_cast<std::size_t>(number);
  SlotDriver::Parts parts{.strand = strand_, .command = std::move(command), .start = start};
  parts.on_action = [this, index](WorkerSlot::Action action) {
    std::visit([&](auto& which) { carry_out(lanes_[index], std::move(which)); }, action);
  };
  parts.on_death = [this, index](const WorkerFailure&) {
    if (lanes_[index].work != Work::job) queue_.note_death();
  };
  parts.on_change = [this] { dispatch_soon(); };
  lanes_.emplace_back(fmt::format("{}-{}", settings_.name, number), std::move(slot), std::move(parts), timers);
}

// What a slot asks for.

void WorkerPool::State::carry_out(Lane& lane, WorkerSlot::Report action) {
  if (!events_.on_status) return;
  WorkerStatus status{lane.name, action.state, std::move(action.reason), std::move(action.code)};
  publish([on_status = events_.on_status, status = std::move(status)]() mutable { on_status(std::move(status)); });
}

void WorkerPool::State::carry_out(Lane& lane, WorkerSlot::PartialText action) {
  if (lane.work != Work::job) return;
  Agreement& agreement = is_previewed(lane.job) ? preview_->agreement : lane.agreement;
  publish_partial(lane.job, agreement.with_next(std::move(action.text)));
}

void WorkerPool::State::carry_out(Lane& lane, WorkerSlot::Answered action) {
  const Work work = std::exchange(lane.work, Work::none);
  if (work == Work::interim) {
    return publish_partial(preview_->job, preview_->agreement.with_next(std::move(action.result.text)));
  }
  TranscriptionOutcome outcome = outcome_of(lane.job, std::move(action.result));
  outcome.processing_time = clock_->steady_now() - lane.started;
  queue_.note_answer();
  if (work == Work::early) {
    early_->lane = nullptr;
    if (is_previewed(lane.job)) {  // if speech goes on, it was no more than that
      publish_partial(lane.job, preview_->agreement.with_next(outcome.text));
    }
    early_->outcome = std::move(outcome);
  } else {
    publish_outcome(std::move(lane.entry.source), lane.entry.segment, std::move(outcome));
  }
}

void WorkerPool::State::carry_out(Lane& lane, WorkerSlot::TaskFailed action) {
  const Work work = std::exchange(lane.work, Work::none);
  if (work == Work::early) early_.reset();
  if (work == Work::interim) preview_->given_up = true;
  if (work != Work::job) return;
  const SteadyTime now = clock_->steady_now();
  const auto source = lane.entry.source;
  const std::uint32_t segment = lane.entry.segment;
  auto failure = queue_.take_back(std::move(lane.entry), std::move(action.failure), action.fresh, now);
  if (!failure) return;
  TranscriptionOutcome outcome = failed_outcome(std::move(failure->code), std::move(failure->message));
  outcome.processing_time = now - lane.started;
  publish_outcome(source, segment, std::move(outcome));
}

void WorkerPool::State::carry_out(Lane& /*lane*/, WorkerSlot::Ready) {
  start_failures_.clear();
  publish_prepared(std::nullopt);
}

void WorkerPool::State::carry_out(Lane& /*lane*/, const WorkerSlot::StartFailed& action) {
  const WorkerFailure& failure = action.failure;
  const bool is_hopeless = failure.cause == FailureCause::settings;
  publish_prepared(is_hopeless ? std::optional(EventError{failure.code, failure.message}) : std::nullopt);
  if (!is_hopeless && has_ready_worker()) return;
  const auto reason = start_failures_.add(failure, clock_->steady_now());
  if (!reason) return;
  if (is_hopeless) return fail_waiting(*reason);
  for (const auto& source : queue_.sources()) {
    publish([source, error = EventError{reason->code, reason->message}] { source->has_no_worker(error); });
  }
}

void WorkerPool::State::fail_waiting(const WorkerFailure& failure) {
  while (auto entry = queue_.pop({.fresh = true, .background = true})) {
    publish_outcome(std::move(entry->source), entry->segment, failed_outcome(failure.code, failure.message));
  }
}

// Who runs what.

void WorkerPool::State::dispatch_soon() {
  if (abandoned_ || std::exchange(dispatching_, true)) return;
  boost::asio::post(strand_, [self = shared_from_this()] {
    self->dispatching_ = false;
    if (!self->abandoned_) self->dispatch();
  });
}

void WorkerPool::State::dispatch() {
  for (Lane& lane : lanes_) assign(lane);
  if (!queue_.empty()) {  // final texts do not wait for what may be of no use
    cancel_work(Work::interim);
    cancel_work(Work::early);
  }
  start_workers();
  run_early();
}

/// Background jobs leave a worker to live ones where there are several.
JobQueue::Offer WorkerPool::State::offer_of(bool fresh) const {
  const auto background = std::ranges::count_if(
      lanes_, [](const Lane& lane) { return lane.work == Work::job && lane.entry.priority == Priority::background; });
  return {.fresh = fresh, .background = background < std::max(std::ssize(lanes_) - 1, std::ptrdiff_t{1})};
}

void WorkerPool::State::assign(Lane& lane) {
  while (lane.is_idle()) {
    auto entry = queue_.pop(offer_of(lane.driver.is_fresh()));
    if (!entry) return;
    give(lane, *std::move(entry));
  }
}

/// Runs the job, unless it is not wanted any more or cannot be given to any worker.
void WorkerPool::State::give(Lane& lane, QueuedJob entry) {
  auto job = job_of(*entry.source, entry.segment);
  if (!job) return;
  if (const auto problem = problem_of(*job, lane.driver.hello())) {
    return publish_outcome(std::move(entry.source), entry.segment, failed_outcome(problem->code, problem->message));
  }
  lane.entry = std::move(entry);
  lane.job = *std::move(job);
  lane.agreement = {};
  Job message = message_of(lane.job, lane.entry.attempts);
  message.background = lane.entry.priority == Priority::background;
  run(lane, Work::job, std::move(message), seconds_of(lane.job));
}

void WorkerPool::State::run(Lane& lane, Work work, Job message, double seconds) {
  lane.work = work;
  lane.started = clock_->steady_now();
  const auto deadline =
      std::chrono::ceil<std::chrono::milliseconds>(settings_.deadline_base + settings_.deadline_per_sec * seconds);
  lane.driver.run({std::move(message), deadline, seconds});
}

/// As many workers as there is work for. What still waits found no idle worker: it may need a fresh one.
void WorkerPool::State::start_workers() {
  using enum WorkerSlot::State;
  const std::ptrdiff_t coming = count(starting) + count(handshake) + count(stopping);
  const bool wanted_warm = !prepared_.empty() && coming + count(idle) + count(busy) == 0;
  std::ptrdiff_t missing = std::ssize(queue_) - coming + (wanted_warm ? 1 : 0);
  const bool has_job = queue_.has_job_for(offer_of(true));
  for (Lane& lane : lanes_) {
    if (missing <= 0 || !(has_job || wanted_warm)) break;
    if (lane.is_idle() && has_job && !lane.driver.is_fresh()) lane.driver.stop();
    if (lane.state() != dead) continue;
    lane.driver.start();
    --missing;
  }
}

/// The worker stays; its task is no longer waited for.
void WorkerPool::State::cancel(Lane& lane) {
  lane.work = Work::none;
  lane.driver.cancel();
}

void WorkerPool::State::cancel_work(Work work) {
  for (Lane& lane : lanes_) {
    if (lane.work != work) continue;
    if (work == Work::early) early_->lane = nullptr;
    cancel(lane);
  }
}

/// An idle worker that a final text will not have to wait for. Where there is none, one is started for the next time.
Lane* WorkerPool::State::lane_for_extra_work() {
  const auto idle_lanes = count(WorkerSlot::State::idle);
  for (auto lane = lanes_.rbegin(); lane != lanes_.rend(); ++lane) {
    if (!lane->is_idle()) continue;
    if (idle_lanes > 1 || lane->driver.hello().cancel_ms.value_or(kQuickCancelMs + 1) <= kQuickCancelMs) return &*lane;
  }
  start_extra_worker();
  return nullptr;
}

void WorkerPool::State::start_extra_worker() {
  using enum WorkerSlot::State;
  if (count(starting) + count(handshake) > 0 || start_failures_.refusal(clock_->steady_now())) return;
  const auto vacant = std::ranges::find(lanes_, dead, [](const Lane& lane) { return lane.state(); });
  if (vacant != lanes_.end()) vacant->driver.start();
}

void WorkerPool::State::warm_up() {
  if (!abandoned_ && !has_ready_worker()) start_extra_worker();
}

// What the recorder asks for.

void WorkerPool::State::submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) {
  if (abandoned_) return;
  if (const auto refusal = start_failures_.refusal(clock_->steady_now())) {
    return publish_outcome(std::move(source), segment, failed_outcome(refusal->code, refusal->message));
  }
  if (early_ && early_->source == source && early_->segment == segment) {
    const EarlyJob early = *std::exchange(early_, std::nullopt);
    if (early.outcome) return publish_outcome(std::move(source), segment, *early.outcome);
    if (early.lane != nullptr) {
      early.lane->work = Work::job;
      early.lane->entry = queue_.begun(std::move(source), segment, priority);
      return;
    }
  }
  queue_.push(std::move(source), segment, priority);
  dispatch_soon();
}

void WorkerPool::State::begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) {
  if (abandoned_) return;
  if (early_) cancel_early(early_->segment);
  cancel_work(Work::interim);
  early_ = EarlyJob{.source = std::move(source), .segment = segment};
  dispatch_soon();
}

void WorkerPool::State::run_early() {
  if (!early_ || early_->lane != nullptr || early_->outcome || !queue_.empty()) return;
  Lane* const lane = lane_for_extra_work();
  if (lane == nullptr) return;
  auto job = job_of(*early_->source, early_->segment);
  if (!job || problem_of(*job, lane->driver.hello())) return early_.reset();
  early_->lane = lane;
  lane->job = *std::move(job);
  lane->agreement = {};
  run(*lane, Work::early, message_of(lane->job, 1), seconds_of(lane->job));
}

void WorkerPool::State::cancel_early(std::uint32_t segment) {
  if (!early_ || early_->segment != segment) return;
  cancel_work(Work::early);
  early_.reset();
}

void WorkerPool::State::prepare(std::function<void(std::optional<EventError>)> done) {
  if (abandoned_) return;
  prepared_.push_back(std::move(done));
  if (has_ready_worker()) return publish_prepared(std::nullopt);
  dispatch_soon();
}

void WorkerPool::State::preview(TranscriptionJob growing) {
  if (abandoned_) return;
  if (growing.language.empty()) growing.language = settings_.language;
  if (!is_previewed(growing)) {
    cancel_work(Work::interim);
    preview_.emplace();
  }
  preview_->job = std::move(growing);
  const Frame frames = preview_->job.end_frame - preview_->job.start_frame;
  const SteadyTime now = clock_->steady_now();
  const bool is_asked = std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.work == Work::interim; });
  const bool is_remote_pool =
      std::ranges::any_of(lanes_, [](const Lane& each) { return is_remote(each.driver.hello()); });
  if (is_remote_pool || preview_->given_up || is_asked || early_ || !queue_.empty() || frames <= preview_->asked_to)
    return;
  if (preview_->asked_at && now - *preview_->asked_at < settings_.preview_interval) return;
  Lane* const lane = lane_for_extra_work();
  if (lane == nullptr || problem_of(preview_->job, lane->driver.hello())) return;
  preview_->asked_at = now;
  preview_->asked_to = frames;
  run(*lane, Work::interim, interim_message_of(preview_->job), seconds_of(preview_->job));
}

void WorkerPool::State::end_preview(std::uint32_t segment) {
  if (preview_ && preview_->job.segment_index == segment) cancel_work(Work::interim);
}

void WorkerPool::State::abandon() {
  abandoned_ = true;
  queue_.clear();
  early_.reset();
  preview_.reset();
  prepared_.clear();
  for (Lane& lane : lanes_) {
    lane.work = Work::none;
    lane.entry = {};
    lane.driver.stop();
  }
}

void WorkerPool::State::publish_outcome(std::shared_ptr<JobSource> source, std::uint32_t segment,
                                        TranscriptionOutcome outcome) {
  publish([source = std::move(source), segment, outcome = std::move(outcome)]() mutable {
    source->transcribed(segment, std::move(outcome));
  });
}

void WorkerPool::State::publish_partial(const TranscriptionJob& job, Agreement::Version version) {
  if (!events_.on_partial) return;
  publish([on_partial = events_.on_partial, session = job.session, segment = job.segment_index,
           version = std::move(version)]() mutable {
    on_partial(std::move(session), segment, std::move(version.text), version.stable_chars);
  });
}

void WorkerPool::State::publish_prepared(const std::optional<EventError>& error) {
  for (auto& done : std::exchange(prepared_, {})) {
    publish([done = std::move(done), error] { done(error); });
  }
}

WorkerPool::WorkerPool(boost::asio::any_io_executor strand, WorkerPoolSettings settings,
                       std::shared_ptr<const Clock> clock, WorkerPoolEvents events,
                       std::shared_ptr<const Timers> timers, StartWorker start)
    : state_(std::make_shared<State>(std::move(strand), std::move(settings), std::move(clock), std::move(events),
                                     *timers, start)) {}

WorkerPool::~WorkerPool() {
  state_->abandon();
}

void WorkerPool::submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) {
  state_->submit(std::move(source), segment, priority);
}
void WorkerPool::begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) {
  state_->begin_early(std::move(source), segment);
}
void WorkerPool::cancel_early(std::uint32_t segment) {
  state_->cancel_early(segment);
}
void WorkerPool::prepare(std::function<void(std::optional<EventError>)> done) {
  state_->prepare(std::move(done));
}
void WorkerPool::warm_up() {
  state_->warm_up();
}
void WorkerPool::preview(TranscriptionJob growing) {
  state_->preview(std::move(growing));
}
void WorkerPool::end_preview(std::uint32_t segment_index) {
  state_->end_preview(segment_index);
}
void WorkerPool::abandon() {
  state_->abandon();
}

}  // namespace dictum::transcription
