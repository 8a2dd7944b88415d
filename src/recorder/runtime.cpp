#include "recorder/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <utility>

#include "base/age.hpp"
#include "base/outcome.hpp"
#include "capture/make_source.hpp"
#include "config/config_json.hpp"
#include "config/note_phrases.hpp"
#include "dictum/detail/completion.hpp"
#include "journal/session_directory.hpp"
#include "session/library.hpp"
#include "session/recovery.hpp"
#include "transcription/find_transcriber.hpp"
#include "transcription/worker_lookup.hpp"
#include "vad/make_detector.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
constexpr auto kDeliveryBound = 2s;  // a stop waits no longer for a subscriber
constexpr auto kCancelBound = 1s;    // a start that is cancelled in a device that hangs
constexpr auto kShutDownBound = 1900ms;
constexpr auto kLastDeliveryBound = 1s;    // of the shut-down: what is left of its time is for the files
constexpr auto kLongestDrain = 24h * 365;  // nobody waits longer; and no clock counts that far

std::shared_ptr<detail::Completion> shared(detail::Completion done) {
  return std::make_shared<detail::Completion>(std::move(done));
}

}  // namespace

struct Runtime::Attempt {
  std::atomic<bool> cancelled{false};
  std::shared_ptr<pipeline::CaptureLoop> capture;
  std::optional<transcription::WorkerPoolSettings> pool;
  std::shared_ptr<Transcriber> transcriber;
  std::optional<session::SessionWriter> writer;
  std::vector<std::filesystem::path> made;  // folders that were not there before
  AudioFormat format{};
  std::vector<EventError> warnings;
  Executors executors;
  std::optional<boost::asio::steady_timer> cancel_bound;
};

Runtime::Runtime(RecorderConfig config, boost::asio::any_io_executor work)
    : config_(std::move(config)),
      clock_(config_.clock ? config_.clock : std::make_shared<const SystemClock>()),
      given_work_(std::move(work)),
      device_(config_.capture.device) {}

Runtime::~Runtime() = default;

// --- The caller's side -----------------------------------------------------------------------------------------------

void Runtime::start(detail::Completion done) {
  const auto completion = shared(std::move(done));
  try {
    config_.validate();
    on_loop_with_threads([this, completion] { start_on_loop(completion); });
  } catch (...) {
    (*completion)(outcome_of_current_exception());
  }
}

void Runtime::cancel_start() {
  on_loop([this] { cancel_attempt(); });
}

void Runtime::stop(std::optional<std::chrono::duration<double>> drain, detail::Completion done) {
  if (auto* queue = dynamic_cast<delivery::EventQueue*>(detail::current_delivery())) queue->excuse();
  const auto completion = shared(std::move(done));
  if (!on_loop([this, drain, completion] { stop_on_loop(drain, completion); })) (*completion)({});
}

void Runtime::pause(detail::Completion done) {
  with_run(
      [](Run& run, std::shared_ptr<detail::Completion> completion) {
        run.pause([completion](detail::Outcome outcome) { (*completion)(std::move(outcome)); });
      },
      std::move(done));
}

void Runtime::resume(detail::Completion done) {
  with_run(
      [](Run& run, std::shared_ptr<detail::Completion> completion) {
        run.resume([completion](detail::Outcome outcome) { (*completion)(std::move(outcome)); });
      },
      std::move(done));
}

void Runtime::set_vad_mode(VADMode mode, detail::Completion done) {
  with_run(
      [mode](Run& run, std::shared_ptr<detail::Completion> completion) {
        run.input([mode](RecorderCore& core, RecorderCore::Actions& actions) { core.set_mode(mode, actions); });
        (*completion)({});
      },
      std::move(done));
}

void Runtime::set_muted(bool muted, detail::Completion done) {
  with_run(
      [muted](Run& run, std::shared_ptr<detail::Completion> completion) {
        run.set_muted(muted);
        (*completion)({});
      },
      std::move(done));
}

void Runtime::set_device(std::string device, detail::Completion done) {
  {
    const std::lock_guard lock(mutex_);
    device_ = device;
  }
  const auto completion = shared(std::move(done));
  const bool posted = on_loop([this, device = std::move(device), completion] {
    if (run_ && !run_->is_closed()) run_->set_device(device);
    (*completion)({});
  });
  if (!posted) (*completion)({});
}

void Runtime::complete_note(detail::Completion done) {
  with_run(
      [](Run& run, std::shared_ptr<detail::Completion> completion) {
        run.input([](RecorderCore& core, RecorderCore::Actions& actions) { core.complete_note(actions); });
        (*completion)({});
      },
      std::move(done));
}

void Runtime::retry_failed(detail::Completion done) {
  const auto path = session_path();
  if (!path) {
    done({});
    return;
  }
  const auto completion = shared(std::move(done));
  const auto retry = [this, path = *path, done = completion] {
    if (run_ && !run_->is_finishing()) {
      run_->input([](RecorderCore& core, RecorderCore::Actions& actions) { core.retry_failed(actions); });
      (*done)({});
      return;
    }
    wait_for([this] { return !run_ || run_->is_finished(); },
             shared([this, path, done](const detail::Outcome&) { resume_on_disk(path, Redo::failed, true, done); }));
  };
  try {
    on_loop_with_threads(retry);
  } catch (...) {
    (*completion)(outcome_of_current_exception());
  }
}

void Runtime::wait_until_idle(detail::Completion done) {
  auto completion = shared(std::move(done));
  const bool posted = on_loop([this, completion] {
    const auto is_idle = [this] {
      return std::ranges::all_of(older_, [](const auto& run) { return run->is_done(); }) &&
             (!run_ || run_->core().outstanding() == 0);
    };
    wait_for(is_idle, completion);
  });
  if (!posted) (*completion)({});
}

bool Runtime::is_recording() const {
  const RecordingState now = state();
  return now != RecordingState::idle && now != RecordingState::failed;
}

RecordingState Runtime::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::optional<std::filesystem::path> Runtime::session_path() const {
  const std::lock_guard lock(mutex_);
  return session_path_;
}

std::shared_ptr<detail::EventQueue> Runtime::subscribe(EventFilter filter, detail::EventConsumer consumer) {
  auto mailbox = std::make_shared<delivery::EventQueue>(
      filter, std::move(consumer),
      [weak = weak_from_this()](std::function<void()> work) {
        const auto self = weak.lock();
        return self && self->on_disk(std::move(work));
      },
      [weak = weak_from_this()](const std::string& what) {
        if (const auto self = weak.lock()) self->callback_threw(what);
      });
  const std::lock_guard lock(mutex_);
  std::erase_if(mailboxes_, [](const auto& other) { return other->is_closed(); });
  mailboxes_.push_back(mailbox);
  return mailbox;
}

bool Runtime::delivers(const detail::EventQueue* queue) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(mailboxes_, [queue](const auto& mailbox) { return mailbox.get() == queue; });
}

void Runtime::resume_session(std::filesystem::path session, Redo redo, detail::Completion done) {
  const auto completion = shared(std::move(done));
  try {
    config_.validate();
    on_loop_with_threads(
        [this, session = std::move(session), redo, completion] { resume_on_disk(session, redo, true, completion); });
  } catch (...) {
    (*completion)(outcome_of_current_exception());
  }
}

void Runtime::shut_down(Subscribers subscribers) noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kShutDownBound;
  std::shared_ptr<WorkThreads> threads;
  boost::asio::any_io_executor loop;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(shut_down_, true) || !executors_) return;
    threads = threads_;
    loop = executors_->loop;
  }
  if (auto* queue = dynamic_cast<delivery::EventQueue*>(detail::current_delivery())) queue->excuse();
  if (subscribers == Subscribers::cannot_be_awaited) excuse_subscribers();
  auto ended = std::make_shared<std::promise<void>>();
  auto all_ended = ended->get_future();
  on_loop([this, ended, loop] {
    const auto patience = std::make_shared<boost::asio::steady_timer>(loop, kLastDeliveryBound);
    patience->async_wait([self = shared_from_this(), patience](const auto& error) {
      if (!error) self->excuse_subscribers();
    });
    if (attempt_) cancel_attempt();
    if (run_) run_->stop();
    const auto abandon = [](Run& run) { run.abandon_transcription(); };
    if (run_) abandon(*run_);
    for (const auto& run : std::list(older_)) abandon(*run);
    if (pool_) pool_->abandon();
    wait_for([this] { return !attempt_ && !run_ && older_.empty(); },
             shared([this, ended, patience](const detail::Outcome&) {
               patience->cancel();
               pool_.reset();
               ended->set_value();
             }));
  });
  all_ended.wait_until(deadline);
  if (threads) threads->join(deadline);
  const std::lock_guard lock(mutex_);
  executors_.reset();  // nothing is posted any longer to where nobody may be left to do it
}

// --- The life cycle, on the loop strand
// --------------------------------------------------------------------------------

bool Runtime::on_loop(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (!executors_) return false;
  post_to_loop(std::move(work));
  return true;
}

void Runtime::on_loop_with_threads(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (shut_down_) throw RecorderError(Errc::invalid_state, "This recorder has been shut down.");
  if (!executors_) {
    if (!given_work_) threads_ = std::make_shared<WorkThreads>();
    executors_ = make_executors(threads_ ? threads_->executor() : given_work_);
  }
  post_to_loop(std::move(work));
}

void Runtime::post_to_loop(std::function<void()> work) {
  ++calls_;
  boost::asio::post(executors_->loop, [self = shared_from_this(), work = std::move(work)] {
    work();
    {
      const std::lock_guard lock(self->mutex_);
      --self->calls_;
    }
    if (self->threads_are_spare_) self->give_threads_back();
  });
}

bool Runtime::on_disk(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (!executors_) return false;
  boost::asio::post(executors_->disk, std::move(work));
  return true;
}

bool Runtime::is_shut_down() const {
  const std::lock_guard lock(mutex_);
  return shut_down_;
}

std::optional<Executors> Runtime::executors() const {
  const std::lock_guard lock(mutex_);
  return shut_down_ ? std::nullopt : executors_;
}

void Runtime::replace_stuck_strands() {
  const std::lock_guard lock(mutex_);
  const boost::asio::any_io_executor work = threads_ ? threads_->executor() : given_work_;
  if (threads_) threads_->replace_stuck();
  strands_were_replaced_ = true;
  if (!executors_) return;
  const Executors fresh = make_executors(work);
  executors_->listen = fresh.listen;
  executors_->disk = fresh.disk;
}

void Runtime::start_on_loop(std::shared_ptr<detail::Completion> done) {
  const auto executors = this->executors();
  if (!executors) {
    (*done)({make_error_code(Errc::cancelled), "The recorder was destroyed."});
    return;
  }
  if (attempt_ && attempt_->cancelled) {  // another start's end, not this one's
    wait_for([this, other = attempt_] { return attempt_ != other; },
             shared([this, done](const detail::Outcome&) { start_on_loop(done); }));
    return;
  }
  if (!attempt_ && run_ && !run_->is_closed()) {
    switch (run_->core().state()) {
      case RecordingState::recording:
        (*done)({});
        return;
      case RecordingState::paused:
        (*done)({make_error_code(Errc::invalid_state), "The recording is paused: resume it, or stop it first."});
        return;
      default:
        break;  // it is stopping: the new one begins when it is closed
    }
  }
  start_waiters_.push_back(done);
  if (attempt_) return;  // the same start
  threads_are_spare_ = false;
  attempt_ = std::make_shared<Attempt>();
  attempt_->executors = *executors;
  wait_for([this, attempt = attempt_] { return attempt->cancelled || !run_ || run_->is_closed(); },
           shared([this, attempt = attempt_](const detail::Outcome&) { begin_start(attempt); }));
}

void Runtime::cancel_attempt() {
  const auto attempt = attempt_;
  if (!attempt || attempt->cancelled.exchange(true)) return;
  changed();  // it may not have begun, but wait for a stop
  if (attempt_ != attempt) return;
  attempt->cancel_bound.emplace(attempt->executors.loop, kCancelBound);
  attempt->cancel_bound->async_wait([self = shared_from_this(), attempt](const auto& error) {
    if (error || self->attempt_ != attempt) return;
    self->replace_stuck_strands();
    self->fail_start(attempt, {make_error_code(Errc::cancelled), "The start was cancelled."});
  });
}

void Runtime::begin_start(std::shared_ptr<Attempt> attempt) {
  const auto executors = this->executors();  // not those of its beginning, where the stop left some behind
  if (attempt->cancelled || !executors) {
    fail_start(attempt, {make_error_code(Errc::cancelled), "The start was cancelled."});
    return;
  }
  attempt->executors = *executors;
  if (run_) older_.push_back(std::exchange(run_, nullptr));
  {
    const std::lock_guard lock(mutex_);
    state_ = RecordingState::starting;
  }
  boost::asio::post(attempt->executors.listen,
                    [self = shared_from_this(), attempt] { self->prepare_capture(attempt); });
}

void Runtime::prepare_capture(std::shared_ptr<Attempt> attempt) {  // on `listen`: what may block
  try {
    if (attempt->cancelled) throw RecorderError(Errc::cancelled, "The start was cancelled.");
    if (!config_.custom_transcriber) attempt->pool = transcription::find_transcriber(config_.transcription);
    auto [detector, warning] = vad::make_detector(config_);
    RecorderConfig config = config_;
    {
      const std::lock_guard lock(mutex_);
      config.capture.device = device_;
    }
    if (warning) attempt->warnings.push_back(*warning);
    if (const auto lack = transcription::why_not_whisper();
        lack && !config_.custom_transcriber && config_.transcription.transcriber == "auto") {
      attempt->warnings.push_back(*lack);
    }
    attempt->capture = std::make_shared<pipeline::CaptureLoop>(
        attempt->executors.listen, config_, clock_, capture::make_source(config, clock_), std::move(detector));
    attempt->format = attempt->capture->open();
    if (attempt->cancelled) throw RecorderError(Errc::cancelled, "The start was cancelled.");
  } catch (...) {
    if (attempt->capture) attempt->capture->roll_back();
    boost::asio::post(attempt->executors.loop,
                      [self = shared_from_this(), attempt, outcome = outcome_of_current_exception()] {
                        self->fail_start(attempt, outcome);
                      });
    return;
  }
  boost::asio::post(attempt->executors.loop,
                    [self = shared_from_this(), attempt] { self->prepare_transcriber(attempt); });
}

void Runtime::prepare_transcriber(std::shared_ptr<Attempt> attempt) {
  try {
    attempt->transcriber = transcriber_for(*attempt);
  } catch (...) {
    roll_back_capture(attempt, outcome_of_current_exception());
    return;
  }
  boost::asio::post(attempt->executors.disk, [self = shared_from_this(), attempt] { self->prepare_session(attempt); });
}

void Runtime::prepare_session(std::shared_ptr<Attempt> attempt) {  // on `disk`
  try {
    const std::filesystem::path root = journal::session_root(config_);
    if (!std::filesystem::exists(root)) attempt->made.push_back(root);
    attempt->writer.emplace(session::SessionWriter::create(root, clock_->now(),
                                                           {.sample_rate = attempt->format.sample_rate,
                                                            .source = attempt->capture->description(),
                                                            .config = config::to_json(config_),
                                                            .keep_all = config_.session.keep_all,
                                                            .transcribes = transcription::transcribes(config_)}));
  } catch (...) {
    roll_back_capture(attempt, outcome_of_current_exception());
    return;
  }
  attempt->made.push_back(attempt->writer->path());
  boost::asio::post(attempt->executors.loop, [self = shared_from_this(), attempt] { self->finish_start(attempt); });
}

void Runtime::roll_back_capture(std::shared_ptr<Attempt> attempt, detail::Outcome outcome) {
  boost::asio::post(attempt->executors.listen, [self = shared_from_this(), attempt, outcome = std::move(outcome)] {
    attempt->capture->roll_back();
    boost::asio::post(attempt->executors.loop, [self, attempt, outcome] {
      if (attempt->transcriber && attempt->transcriber != self->pool_) attempt->transcriber->abandon();
      self->fail_start(attempt, outcome);
    });
  });
}

void Runtime::finish_start(std::shared_ptr<Attempt> attempt) {
  try {  // the last that can fail
    if (attempt->cancelled) throw RecorderError(Errc::cancelled, "The start was cancelled.");
    prepare_subscribers();
  } catch (...) {
    boost::asio::post(attempt->executors.disk,
                      [self = shared_from_this(), attempt, outcome = outcome_of_current_exception()] {
                        attempt->writer.reset();
                        std::error_code ignored;
                        for (const auto& path : attempt->made) std::filesystem::remove_all(path, ignored);
                        self->roll_back_capture(attempt, outcome);
                      });
    return;
  }
  const auto transcriber = attempt->transcriber;
  auto journal = std::make_shared<delivery::JournalView>();
  journal->session = attempt->writer->path();
  RecorderCore::Settings core{.session = attempt->writer->name(),
                              .session_path = attempt->writer->path(),
                              .sample_rate = attempt->format.sample_rate,
                              .transcribes = transcriber != nullptr,
                              .mode = config_.vad.mode,
                              .min_silence_ms = config_.vad.min_silence_ms,
                              .long_note_silence_ms = config_.vad.long_note_silence_ms,
                              .language = config_.transcription.language,
                              .phrases = config::note_phrases(config_)};
  run_ = add_run({.executors = attempt->executors,
                  .clock = clock_,
                  .core = std::move(core),
                  .capture = attempt->capture,
                  .disk = std::make_shared<DiskStage>(std::move(*attempt->writer), clock_, journal),
                  .transcriber = transcriber,
                  .journal = journal,
                  .in_background = false,
                  .owns_transcriber = transcriber != nullptr && transcriber != pool_},
                 true);
  {
    const std::lock_guard lock(mutex_);
    session_path_ = journal->session;
  }
  attempt_.reset();
  run_->begin(attempt->warnings);
  complete_starts({});
  // Not with a transcriber of the user's, which is made for the session that it was configured for.
  if (attempt->pool && !std::exchange(looked_for_unfinished_, true)) finish_old_sessions();
  if (!config_.retention.older_than.empty()) delete_old_sessions();
}

void Runtime::fail_start(std::shared_ptr<Attempt> attempt, detail::Outcome outcome) {
  if (attempt_ != attempt) return;
  if (attempt->cancelled && outcome.code != Errc::cancelled) {
    outcome = {make_error_code(Errc::cancelled), "The start was cancelled."};
  }
  attempt_.reset();
  if (attempt->cancel_bound) attempt->cancel_bound->cancel();
  {
    const std::lock_guard lock(mutex_);
    if (state_ == RecordingState::starting) state_ = RecordingState::idle;
  }
  complete_starts(outcome);
  changed();
  threads_are_spare_ = !attempt_;
  if (threads_are_spare_) give_threads_back();
}

void Runtime::give_threads_back() {
  if (run_ || !older_.empty() || attempt_ || !waiters_.empty()) return;
  const std::lock_guard lock(mutex_);
  // A call that is posted finds this loop; and who hangs in a device still comes back to it.
  if (!threads_ || calls_ > 0 || shut_down_ || strands_were_replaced_) return;
  if (pool_) pool_->abandon();
  pool_.reset();  // it lives on a strand of these threads
  threads_are_spare_ = false;
  executors_.reset();
  threads_.reset();  // they end when what is posted is done; nobody waits for them on one of them
}

void Runtime::complete_starts(const detail::Outcome& outcome) {
  for (const auto& done : std::exchange(start_waiters_, {})) (*done)(outcome);
}

std::shared_ptr<Transcriber> Runtime::transcriber_for(const Attempt& attempt) {
  if (config_.custom_transcriber) return config_.custom_transcriber();
  if (!attempt.pool) return nullptr;
  if (!pool_) {
    const auto loop = attempt.executors.loop;
    pool_ = std::make_shared<transcription::WorkerPool>(
        loop, *attempt.pool, clock_,
        transcription::WorkerPoolEvents{
            .on_status =
                [weak = weak_from_this()](std::string worker, WorkerState state, std::string reason) {
                  const auto self = weak.lock();
                  if (!self || !self->run_) return;
                  self->run_->input([worker, state, reason](RecorderCore& core, RecorderCore::Actions& actions) {
                    core.worker_changed(worker, state, reason, actions);
                  });
                },
            .on_partial =
                [weak = weak_from_this()](std::uint32_t segment, std::string text, std::size_t stable) {
                  const auto self = weak.lock();
                  if (!self || !self->run_) return;
                  self->run_->input([segment, text, stable](RecorderCore& core, RecorderCore::Actions& actions) {
                    core.partial(segment, text, stable, actions);
                  });
                }});
  }
  return pool_;
}

std::shared_ptr<Run> Runtime::add_run(Run::Parts parts, bool publishes) {
  auto journal = parts.journal;
  return std::make_shared<Run>(
      std::move(parts),
      [weak = weak_from_this(), journal, publishes](const Event& event) {
        const auto self = weak.lock();
        if (self && publishes) self->publish(event, journal);
      },
      [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->changed();
      });
}

void Runtime::stop_on_loop(std::optional<std::chrono::duration<double>> drain,
                           std::shared_ptr<detail::Completion> done) {
  if (attempt_) {
    cancel_attempt();
    wait_for([this, attempt = attempt_] { return !attempt || attempt_ != attempt; },
             shared([this, drain, done](const detail::Outcome&) { stop_on_loop(drain, done); }));
    return;
  }
  const auto run = run_;
  if (!run) {
    (*done)({});
    return;
  }
  run->stop();
  const auto limit = drain.value_or(std::chrono::duration<double>(config_.transcription.drain_sec));
  auto timer = std::make_shared<boost::asio::steady_timer>(run->executors().loop);
  if (limit.count() >= 0 && limit < kLongestDrain) {
    timer->expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(limit));
    timer->async_wait([run](const auto& error) {
      if (!error) run->end_drain();
    });
  }
  wait_for([run] { return run->is_finished() || (run->drain_is_over() && run->is_closed() && !run->is_done()); },
           shared([this, run, timer, done](const detail::Outcome&) {
             timer->cancel();
             if (run->is_finished()) {
               (*done)({});
             } else {
               flush_delivery(run->executors().loop, [done] { (*done)({}); });
             }
           }));
}

void Runtime::with_run(std::function<void(Run&, std::shared_ptr<detail::Completion>)> work, detail::Completion done) {
  auto completion = shared(std::move(done));
  const detail::Outcome not_recording{make_error_code(Errc::invalid_state), "Nothing is being recorded."};
  const bool posted = on_loop([this, work = std::move(work), completion, not_recording] {
    const bool alive = run_ && !run_->is_closed() && run_->core().state() != RecordingState::stopping;
    alive ? work(*run_, completion) : (*completion)(not_recording);
  });
  if (!posted) (*completion)(not_recording);
}

// --- Waiting ---------------------------------------------------------------------------------------------------------

void Runtime::wait_for(std::function<bool()> ready, std::shared_ptr<detail::Completion> done) {
  waiters_.push_back({std::move(ready), std::move(done)});
  changed();
}

void Runtime::changed() {
  if (std::exchange(looking_at_waiters_, true)) {
    changed_again_ = true;
    return;
  }
  do {
    changed_again_ = false;
    if (run_) settle(run_);
    for (const auto& run : std::list(older_)) settle(run);
    if (run_ && run_->is_finished()) run_.reset();
    std::erase_if(older_, [](const auto& run) { return run->is_finished(); });
    // A session that ended is let go before those who wait for it are told. One waiter a round: it may change all.
    const auto ready = std::ranges::find_if(waiters_, [](const Waiter& waiter) { return waiter.ready(); });
    if (ready == waiters_.end()) continue;
    const auto done = ready->done;
    waiters_.erase(ready);
    (*done)({});
    changed_again_ = true;
  } while (changed_again_);
  looking_at_waiters_ = false;
}

void Runtime::settle(const std::shared_ptr<Run>& run) {
  if (run->take_abandonment()) replace_stuck_strands();
  if (!run->is_done() || run->is_finishing() || run->revises_notes()) return;
  run->mark_finishing();
  flush_delivery(run->executors().loop, [run] { run->finish(); });
}

void Runtime::flush_delivery(const boost::asio::any_io_executor& loop, std::function<void()> done) {
  struct Flush {
    std::size_t left;
    std::function<void()> done;
    boost::asio::steady_timer bound;
  };
  const auto mailboxes = this->mailboxes();
  auto flush = std::make_shared<Flush>(mailboxes.size() + 1, std::move(done), boost::asio::steady_timer(loop));
  // A subscriber may be done with its events long after this recorder and its threads are gone.
  const auto one_less = [weak = weak_from_this(), weak_flush = std::weak_ptr(flush)] {
    const auto self = weak.lock();
    if (!self) return;
    self->on_loop([weak_flush] {
      const auto waiting = weak_flush.lock();
      if (!waiting || waiting->left == 0 || --waiting->left > 0) return;
      waiting->bound.cancel();
      waiting->done();
    });
  };
  flush->bound.expires_after(kDeliveryBound);
  flush->bound.async_wait([flush](const auto& error) {
    if (error || flush->left == 0) return;
    flush->left = 0;
    flush->done();
  });
  for (const auto& mailbox : mailboxes) mailbox->when_drained(one_less);
  one_less();
}

// --- Events ----------------------------------------------------------------------------------------------------------

void Runtime::publish(const Event& event, const std::shared_ptr<delivery::JournalView>& journal) {
  const auto shared_event = std::make_shared<const Event>(event);
  if (const auto* changed = std::get_if<RecordingStateChanged>(&event.body)) {
    const std::lock_guard lock(mutex_);
    if (session_path_ == journal->session || !session_path_) state_ = changed->state;
  }
  for (const auto& mailbox : mailboxes()) mailbox->push(shared_event, journal);
}

std::vector<std::shared_ptr<delivery::EventQueue>> Runtime::mailboxes() const {
  const std::lock_guard lock(mutex_);
  return mailboxes_;
}

void Runtime::prepare_subscribers() {
  for (const auto& mailbox : mailboxes()) mailbox->prepare();
}

void Runtime::excuse_subscribers() {
  for (const auto& mailbox : mailboxes()) mailbox->excuse();
}

void Runtime::callback_threw(const std::string& what) {
  tell_fault({detail::kCallbackThrew, fmt::format("An event callback threw and goes on being called: {}", what)});
}

/// In the session that is being recorded; where there is none, nobody is left to tell.
void Runtime::tell_fault(const EventError& error) {
  on_loop([this, error] {
    if (!run_ || run_->is_finished()) return;
    run_->input([error](RecorderCore& core, RecorderCore::Actions& actions) {
      core.fault(error.code, error.message, true, actions);
    });
  });
}

// --- Sessions that were left unfinished ------------------------------------------------------------------------------

void Runtime::finish_old_sessions() {
  boost::asio::post(run_->executors().disk, [self = shared_from_this()] {
    auto left = std::make_shared<std::deque<std::filesystem::path>>();
    for (const auto& unfinished : session::find_unfinished(journal::session_root(self->config_))) {
      if (unfinished.is_private) left->push_back(unfinished.path);
    }
    self->on_loop([self, left] { self->finish_next(left); });
  });
}

/// On a thread of its own among those that may block: the new session's files do not wait for it.
void Runtime::delete_old_sessions() {
  const auto age = parse_age(config_.retention.older_than);  // checked at the start
  const auto delete_them = [weak = weak_from_this(), root = journal::session_root(config_),
                            keep_notes = config_.retention.keep_notes, before = clock_->now() - *age] {
    const auto goes_on = [&weak] {
      const auto self = weak.lock();
      return self && !self->is_shut_down();
    };
    try {
      session::prune(root, {.before = before, .keep_notes = keep_notes, .goes_on = goes_on});
    } catch (...) {
      if (const auto self = weak.lock()) self->tell_fault(error_of_current_exception());
    }
  };
  const std::lock_guard lock(mutex_);
  boost::asio::post(threads_ ? threads_->executor() : given_work_, delete_them);
}

void Runtime::finish_next(std::shared_ptr<std::deque<std::filesystem::path>> left) {
  if (left->empty()) return;
  const std::filesystem::path session = std::move(left->front());
  left->pop_front();
  // One that cannot be finished (damaged, or another process has it) is left for `dictum resume`, which says why.
  resume_on_disk(session, Redo::nothing, false, shared([weak = weak_from_this(), left](const detail::Outcome&) {
                   if (const auto self = weak.lock()) self->finish_next(left);
                 }));
}

void Runtime::resume_on_disk(std::filesystem::path session, Redo redo, bool publishes,
                             std::shared_ptr<detail::Completion> done) {
  std::optional<Executors> executors;
  {
    const std::lock_guard lock(mutex_);
    executors = executors_;
  }
  if (!executors || is_shut_down()) {
    (*done)({make_error_code(Errc::invalid_state), "This recorder has been shut down."});
    return;
  }
  auto attempt = std::make_shared<Attempt>();
  attempt->executors = *executors;
  boost::asio::post(
      executors->disk, [self = shared_from_this(), attempt, session = std::move(session), redo, publishes, done] {
        std::shared_ptr<std::vector<Event>> events;
        try {
          if (!self->config_.custom_transcriber)
            attempt->pool = transcription::find_transcriber(self->config_.transcription);
          attempt->writer.emplace(session::SessionWriter::reopen(session));
          events = std::make_shared<std::vector<Event>>(session::recover(*attempt->writer, self->clock_->now()).events);
        } catch (...) {
          boost::asio::post(attempt->executors.loop,
                            [done, outcome = outcome_of_current_exception()] { (*done)(outcome); });
          return;
        }
        boost::asio::post(attempt->executors.loop, [self, attempt, events, redo, publishes, done] {
          auto journal = std::make_shared<delivery::JournalView>();
          journal->session = attempt->writer->path();
          journal->written = events->empty() ? 0 : events->back().sequence.value_or(0) + 1;
          std::shared_ptr<Transcriber> transcriber;
          try {
            if (self->is_shut_down()) throw RecorderError(Errc::cancelled, "The recorder was shut down.");
            transcriber = self->transcriber_for(*attempt);
          } catch (...) {
            attempt->writer.reset();  // gives the session's lock free
            (*done)(outcome_of_current_exception());
            return;
          }
          RecorderCore::Settings core{.session = attempt->writer->name(),
                                      .session_path = attempt->writer->path(),
                                      .sample_rate = attempt->writer->manifest().sample_rate,
                                      .transcribes = transcriber != nullptr,
                                      .mode = VADMode::normal,
                                      .min_silence_ms = self->config_.vad.min_silence_ms,
                                      .long_note_silence_ms = self->config_.vad.long_note_silence_ms,
                                      .language = self->config_.transcription.language,
                                      .phrases = config::recorded_note_phrases(attempt->writer->manifest().config)};
          const auto run =
              self->add_run({.executors = attempt->executors,
                             .clock = self->clock_,
                             .core = std::move(core),
                             .capture = nullptr,
                             .disk = std::make_shared<DiskStage>(std::move(*attempt->writer), self->clock_, journal),
                             .transcriber = transcriber,
                             .journal = journal,
                             .in_background = !publishes,
                             .owns_transcriber = transcriber != nullptr && transcriber != self->pool_},
                            publishes);
          self->older_.push_back(run);
          run->resume_session(*events, redo);
          self->wait_for([run] { return run->is_finished(); }, done);
        });
      });
}

}  // namespace dictum::recorder

namespace dictum::detail {

std::shared_ptr<Engine> make_engine(RecorderConfig config) {
  return make_engine(std::move(config), {});
}

std::shared_ptr<Engine> make_engine(RecorderConfig config, boost::asio::any_io_executor work) {
  return std::make_shared<recorder::Runtime>(std::move(config), std::move(work));
}

}  // namespace dictum::detail
