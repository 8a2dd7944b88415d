#include "recorder/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cmath>
#include <future>
#include <ranges>
#include <utility>

#include "base/invariant.hpp"
#include "base/outcome.hpp"
#include "config/vocabulary.hpp"
#include "dictum/detail/completion.hpp"
#include "dictum/text.hpp"
#include "journal/session_directory.hpp"
#include "session/library.hpp"
#include "session/recovery.hpp"
#include "transcription/custom_runner.hpp"
#include "transcription/fallback_runner.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
constexpr auto kShutDownBound = 1900ms;
constexpr std::chrono::milliseconds kUnloadLaterAfter = 10s;
constexpr auto kLastDeliveryBound = 1s;  // of the shut-down: the remainder of its time is for the files
constexpr double kMaxDrainSec = 1e9;     // as good as no limit, and far from where a clock overflows

/// Workers for texts that nobody waits for: of lower priority, and gone soon after the last one.
transcription::WorkerPoolSettings settings_for_later(transcription::WorkerPoolSettings settings) {
  settings.environment["DICTUM_WORKER_NICE"] = "5";
  settings.unload_after = std::min(settings.unload_after.value_or(kUnloadLaterAfter), kUnloadLaterAfter);
  if (settings.fallback) {
    settings.fallback =
        std::make_shared<const transcription::WorkerPoolSettings>(settings_for_later(*settings.fallback));
  }
  return settings;
}

/// The subscriber whose callback makes this call, if it is one of a runtime's: nothing waits for it.
void stop_waiting_for_caller() {
  if (auto* queue = dynamic_cast<delivery::EventQueue*>(detail::current_delivery())) queue->stop_waiting();
}

/// Whether a command has nothing to do where nothing was ever started, rather than nothing to work on.
bool succeeds_without_session(const Command& command) {
  return std::holds_alternative<CancelStart>(command) || std::holds_alternative<StopRecording>(command) ||
         std::holds_alternative<SetDevice>(command) || std::holds_alternative<SetVocabulary>(command) ||
         std::holds_alternative<RetryFailed>(command) || std::holds_alternative<WaitUntilIdle>(command);
}

}  // namespace

Runtime::Runtime(RecorderConfig config, boost::asio::any_io_executor work, std::shared_ptr<const Timers> timers)
    : config_(std::move(config)),
      time_{.clock = config_.clock ? config_.clock : std::make_shared<const SystemClock>(),
            .timers = std::move(timers)},
      given_work_(std::move(work)) {
  shared_.lock()->device = config_.capture.device;
}

Runtime::~Runtime() = default;

// --- The caller's side -----------------------------------------------------------------------------------------------

void Runtime::submit(Command command, detail::Completion done) {
  Reply reply(std::move(done));
  try {
    if (std::holds_alternative<StartRecording>(command)) config_.validate();
    if (std::holds_alternative<StopRecording>(command)) stop_waiting_for_caller();
    if (const auto* chosen = std::get_if<SetDevice>(&command)) shared_.lock()->device = chosen->device;
    if (const auto* chosen = std::get_if<SetVocabulary>(&command)) {
      const auto complaint = config::complaint_about_vocabulary(chosen->vocabulary);
      if (!complaint.empty()) throw RecorderError(Errc::config_invalid, fmt::format("The vocabulary {}.", complaint));
      shared_.lock()->vocabulary = chosen->vocabulary;
    }
    const bool makes_threads = std::holds_alternative<StartRecording>(command) ||
                               (std::holds_alternative<RetryFailed>(command) && session_path());
    if (const auto loop = begin_call(makes_threads)) {
      spawn(*loop, execute(std::move(command)), std::move(reply));
    } else if (succeeds_without_session(command)) {
      reply.give({});
    } else {
      throw not_recording();
    }
  } catch (...) {
    reply.give(outcome_of_current_exception());
  }
}

void Runtime::resume_session(std::filesystem::path session, Redo redo, double drain_sec, detail::Completion done) {
  Reply reply(std::move(done));
  try {
    config_.validate();
    const auto loop = begin_call(true);
    spawn(*loop, resume(std::move(session), redo, Session::Visibility::published, drain_deadline(drain_sec)),
          std::move(reply));
  } catch (...) {
    reply.give(outcome_of_current_exception());
  }
}

std::optional<boost::asio::any_io_executor> Runtime::begin_call(bool makes_threads) {
  const auto shared = shared_.lock();
  if (makes_threads) {
    if (shared->is_shut_down) throw RecorderError(Errc::invalid_state, "This recorder has been shut down.");
    if (!shared->strands) {
      if (!given_work_) shared->threads = std::make_unique<WorkThreads>();
      auto on_exception = [weak = weak_from_this()](const std::exception_ptr& thrown) {
        if (const auto self = weak.lock()) self->report_exception(thrown);
      };
      shared->strands = shared->threads ? shared->threads->make_strands(std::move(on_exception))
                                        : make_strands(given_work_, std::move(on_exception));
    }
  }
  if (!shared->strands) return std::nullopt;
  ++shared->calls;
  return shared->strands->loop;
}

void Runtime::spawn(const boost::asio::any_io_executor& loop, Awaitable call, Reply reply) {
  boost::asio::co_spawn(
      loop, std::move(call),
      [self = shared_from_this(), reply = std::move(reply)](const std::exception_ptr& thrown) mutable {
        reply.give(outcome_of(thrown));
        self->end_call();
        self->give_threads_back();
      });
}

void Runtime::end_call() {
  --shared_.lock()->calls;
}

/// Where a start failed and nothing else needs them. A call that has begun meanwhile finds them.
void Runtime::give_threads_back() {
  const auto shared = shared_.lock();
  if (!threads_are_unused_ || !sessions_.empty() || !resumed_.empty() || shared->calls > 0) return;
  if (!shared->threads || shared->is_shut_down || shared->strands_were_replaced) return;
  threads_are_unused_ = false;
  if (pool_) pool_->abandon();
  if (later_pool_) later_pool_->abandon();
  pool_.reset();  // they live on a strand of these threads
  later_pool_.reset();
  shared->strands.reset();
  shared->threads.reset();  // they end when what is posted is done; they are not joined on one of them
}

bool Runtime::is_recording() const {
  const RecordingState now = state();
  return now != RecordingState::idle && now != RecordingState::failed;
}

RecordingState Runtime::state() const {
  return shared_.lock()->state;
}

std::optional<std::filesystem::path> Runtime::session_path() const {
  return shared_.lock()->session_path;
}

std::shared_ptr<detail::EventQueue> Runtime::subscribe(EventFilter filter, detail::EventConsumer consumer) {
  auto queue = std::make_shared<delivery::EventQueue>(
      filter, std::move(consumer),
      [weak = weak_from_this()](std::function<void()> work) {
        const auto self = weak.lock();
        if (!self) return false;
        const auto shared = self->shared_.lock();
        if (!shared->strands) return false;
        boost::asio::post(shared->strands->disk, std::move(work));
        return true;
      },
      [weak = weak_from_this()](const std::string& what) {
        const auto self = weak.lock();
        if (!self) return;
        self->report(
            {detail::kCallbackThrew, fmt::format("An event callback threw and goes on being called: {}", what)});
      });
  subscribers_.add(queue);
  return queue;
}

bool Runtime::delivers(const detail::EventQueue* queue) const {
  return subscribers_.contains(queue);
}

void Runtime::shut_down(Subscribers subscribers) noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kShutDownBound;
  WorkThreads* threads = nullptr;  // stay: after a shut-down they are not given back
  boost::asio::any_io_executor loop;
  {
    const auto shared = shared_.lock();
    if (std::exchange(shared->is_shut_down, true) || !shared->strands) return;
    threads = shared->threads.get();
    loop = shared->strands->loop;
    ++shared->calls;
  }
  try {
    stop_waiting_for_caller();
    if (subscribers == Subscribers::cannot_be_awaited) subscribers_.stop_waiting();
    std::promise<void> ended;
    auto all_ended = ended.get_future();
    spawn(loop, end_sessions(),
          Reply([ended = std::move(ended)](const detail::Outcome&) mutable { ended.set_value(); }));
    all_ended.wait_until(deadline);
  } catch (...) {  // no memory: the threads end as they are
  }
  if (threads != nullptr) threads->join(deadline);
  shared_.lock()->strands.reset();  // nothing is posted any longer to threads that may have ended
}

// --- Commands, on the loop strand ------------------------------------------------------------------------------------

Runtime::Awaitable Runtime::execute(Command command) {
  return std::visit([this](auto& which) { return carry_out(std::move(which)); }, command);
}

Runtime::Awaitable Runtime::carry_out(StartRecording /*command*/) {
  for (bool begins = false;;) {
    Session* const session = newest();
    switch (session != nullptr ? session->decide(SessionCall::start) : CallDecision::next_session) {
      case CallDecision::join:
        co_await session->started();
        if (begins) {
          remove_remains();
          finish_old_sessions();
          delete_old_sessions();
        }
        co_return;
      case CallDecision::ask_again:
        co_await session->changed();
        break;
      case CallDecision::next_session:
        start_session();
        begins = true;
        break;
      case CallDecision::refuse:
        throw RecorderError(Errc::invalid_state, "The recording is paused: resume it, or stop it first.");
      default:
        co_return;
    }
  }
}

Runtime::Awaitable Runtime::carry_out(CancelStart /*command*/) {
  if (Session* const session = newest()) session->cancel();
  co_return;
}

Runtime::Awaitable Runtime::carry_out(StopRecording command) {
  const auto deadline = drain_deadline(command.drain_sec.value_or(config_.transcription.drain_sec));
  // A start that is under way is cancelled; what was recorded before it is stopped.
  Session* session = newest();
  for (; session != nullptr && !session->lifecycle().has_started(); session = newest()) {
    session->stop(std::nullopt);
    co_await session->ended();
  }
  if (session == nullptr) co_return;
  session->stop(deadline);
  if (!co_await session->stopped()) co_return;
  const auto loop = co_await boost::asio::this_coro::executor;
  co_await subscribers_.delivered(loop, time_.timers.get());
}

Runtime::Awaitable Runtime::carry_out(PauseRecording /*command*/) {
  Session* const session = begun();
  if (session == nullptr) throw not_recording();
  co_await session->pause_capture();
}

Runtime::Awaitable Runtime::carry_out(ResumeRecording /*command*/) {
  Session* const session = begun();
  if (session == nullptr) throw not_recording();
  co_await session->resume_capture();
}

Runtime::Awaitable Runtime::carry_out(SetVADMode command) {
  recording(SessionCall::change).set_mode(command.mode);
  co_return;
}

Runtime::Awaitable Runtime::carry_out(SetMuted command) {
  recording(SessionCall::change).set_muted(command.muted);
  co_return;
}

Runtime::Awaitable Runtime::carry_out(SetDevice command) {
  Session* const session = begun();
  if (session != nullptr && session->decide(SessionCall::change) == CallDecision::accept)
    session->set_device(command.device);
  co_return;
}

Runtime::Awaitable Runtime::carry_out(SetVocabulary command) {
  if (Session* const session = begun()) session->set_vocabulary(command.vocabulary);
  co_return;
}

Runtime::Awaitable Runtime::carry_out(CompleteNote /*command*/) {
  recording(SessionCall::change).complete_note();
  co_return;
}

Runtime::Awaitable Runtime::carry_out(RetryFailed /*command*/) {
  const auto path = session_path();
  if (!path) co_return;
  while (Session* const session = of_folder(*path)) {
    if (session->decide(SessionCall::retry) == CallDecision::accept) {
      session->retry_failed();
      co_return;
    }
    co_await session->changed();
  }
  co_await resume(*path, Redo::failed, Session::Visibility::published);
}

Runtime::Awaitable Runtime::carry_out(WaitUntilIdle /*command*/) {
  while (Session* const session = busy_session()) co_await session->changed();
}

// --- Sessions, on the loop strand ------------------------------------------------------------------------------------

Session::Pointer Runtime::make_session(Session::Visibility visibility) {
  return std::make_shared<Session>(weak_from_this(), strands().loop, time_, visibility);
}

void Runtime::start_session() {
  Session* const previous = newest();
  const auto session = make_session(Session::Visibility::published);
  threads_are_unused_ = false;
  sessions_.push_back(session);
  boost::asio::co_spawn(strands().loop, session->record(previous != nullptr ? previous->shared_from_this() : nullptr),
                        [self = shared_from_this(), session](const std::exception_ptr& thrown) {
                          if (thrown) {
                            self->report_exception(thrown);
                            session->break_off();
                          }
                          self->threads_are_unused_ = !session->has_recorded();
                          self->remove(*session);
                          self->give_threads_back();
                        });
}

void Runtime::remove(const Session& session) {
  const auto is_it = [&session](const auto& each) { return each.get() == &session; };
  std::erase_if(sessions_, is_it);
  std::erase_if(resumed_, is_it);
}

/// The session that was asked for last, unless it has ended.
Session* Runtime::newest() const {
  for (const auto& session : sessions_ | std::views::reverse) {
    if (!session->lifecycle().has_ended()) return session.get();
  }
  return nullptr;
}

/// The newest whose turn has come: not one that waits for another to close.
Session* Runtime::begun() const {
  for (const auto& session : sessions_ | std::views::reverse) {
    const SessionState state = session->lifecycle().state();
    if (state != SessionState::waiting && state != SessionState::ended) return session.get();
  }
  return nullptr;
}

Session& Runtime::recording(SessionCall call) const {
  Session* const session = begun();
  if (session == nullptr || session->decide(call) != CallDecision::accept) throw not_recording();
  return *session;
}

Session* Runtime::of_folder(const std::filesystem::path& path) const {
  for (const auto* sessions : {&sessions_, &resumed_}) {
    for (const auto& session : *sessions) {
      if (session->path() == path && !session->lifecycle().has_ended()) return session.get();
    }
  }
  return nullptr;
}

/// One with texts that are to come; or one that is not closed, where another records already.
Session* Runtime::busy_session() const {
  const Session* const current = begun();
  for (const auto* sessions : {&sessions_, &resumed_}) {
    for (const auto& session : *sessions) {
      if (session->lifecycle().has_ended()) continue;
      if (session->has_pending_texts() && !session->has_no_worker()) return session.get();
      if (session.get() != current && session->lifecycle().state() != SessionState::waiting &&
          !session->lifecycle().is_closed())
        return session.get();
    }
  }
  return nullptr;
}

std::optional<SessionLifecycle::Time> Runtime::drain_deadline(double drain_sec) const {
  if (!(drain_sec >= 0 && drain_sec < kMaxDrainSec)) return std::nullopt;  // NaN as well
  return time_.clock->steady_now() +
         std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(drain_sec));
}

Runtime::Awaitable Runtime::resume(std::filesystem::path path, Redo redo, Session::Visibility visibility,
                                   std::optional<SessionLifecycle::Time> drain_deadline) {
  const auto session = make_session(visibility);
  resumed_.push_back(session);
  std::exception_ptr failure;
  try {
    co_await session->resume(std::move(path), redo, drain_deadline);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!session->lifecycle().has_ended()) session->break_off();
  remove(*session);
  if (failure) std::rethrow_exception(failure);
}

Runtime::Awaitable Runtime::end_sessions() {
  const auto patience = time_.timers->make_timer(strands().loop);
  patience->start(kLastDeliveryBound, [this] { subscribers_.stop_waiting(); });
  for (auto* sessions : {&sessions_, &resumed_}) {
    for (const auto& session : std::vector(*sessions)) session->shut_down();
  }
  if (pool_) pool_->abandon();
  if (later_pool_) later_pool_->abandon();
  for (auto* sessions : {&sessions_, &resumed_}) {
    for (const auto& session : std::vector(*sessions)) {
      while (!session->lifecycle().has_ended()) co_await session->changed();
    }
  }
  pool_.reset();
  later_pool_.reset();
}

// --- What a session needs of its recorder ----------------------------------------------------------------------------

Strands Runtime::strands() const {
  const auto shared = shared_.lock();
  if (!shared->strands) throw RecorderError(Errc::cancelled, "The recorder was destroyed.");
  return *shared->strands;
}

RecorderConfig Runtime::config() const {
  RecorderConfig config = config_;
  const auto shared = shared_.lock();
  if (shared->is_shut_down) throw RecorderError(Errc::cancelled, "The recorder was destroyed.");
  config.capture.device = shared->device;
  if (shared->vocabulary) {
    config.transcription.vocabulary = *shared->vocabulary;
    config.transcription.vocabulary_file.clear();
  }
  return config;
}

SessionRunner Runtime::transcriber(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency) {
  if (config_.custom_transcriber) {
    auto custom = config_.custom_transcriber();
    if (!custom) {
      throw RecorderError(
          Errc::invalid_argument,
          "The configuration's transcriber factory returned a null pointer: let it return a Transcriber, or "
          "set the transcriber \"none\".");
    }
    return SessionRunner(std::make_unique<transcription::CustomRunner>(std::move(custom)));
  }
  if (!pool) return {};
  if (urgency == Urgency::later) {
    if (!later_pool_) {
      later_pool_ = transcription::make_pool(strands().loop, settings_for_later(*pool), time_.clock, {});
    }
    return SessionRunner(*later_pool_);
  }
  if (pool_) return SessionRunner(*pool_);
  const auto forward = [weak = weak_from_this()](std::function<void(RecorderCore&, RecorderCore::Actions&)> give) {
    const auto self = weak.lock();
    Session* const session = self ? self->begun() : nullptr;
    if (session != nullptr) session->input(std::move(give));
  };
  pool_ = transcription::make_pool(
      strands().loop, *pool, time_.clock,
      transcription::WorkerPoolEvents{
          .on_status =
              [forward](WorkerStatus status) {
                forward([status = std::move(status)](RecorderCore& core, RecorderCore::Actions& actions) {
                  core.worker_changed(status, actions);
                });
              },
          .on_partial =
              [forward](std::string session, std::uint32_t segment, std::string text, std::size_t stable) {
                forward([session, segment, text, stable](RecorderCore& core, RecorderCore::Actions& actions) {
                  core.partial(session, segment, text, stable, actions);
                });
              }});
  return SessionRunner(*pool_);
}

/// Without a folder: of a start that has no session yet.
void Runtime::state_changed(RecordingState state, const std::filesystem::path& session) {
  const auto shared = shared_.lock();
  if (!session.empty()) {
    shared->session_path = session;
    shared->state = state;
  } else if (state == RecordingState::starting || shared->state == RecordingState::starting) {
    shared->state = state;
  }
}

void Runtime::folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto shared = shared_.lock();
  if (shared->session_path == from) shared->session_path = to;  // not where a newer session has begun
}

void Runtime::replace_strands() {
  const auto shared = shared_.lock();
  shared->strands_were_replaced = true;
  if (shared->threads) shared->threads->replace_stuck();
  if (!shared->strands) return;
  renew(*shared->strands);
}

/// In the session that is being recorded; where there is none, it is dropped.
void Runtime::report(const EventError& error) {
  const auto loop = begin_call(false);
  if (!loop) return;
  boost::asio::post(*loop, [self = shared_from_this(), error] {
    if (Session* const session = self->begun()) session->report(error);
    self->end_call();
  });
}

/// The session that is being recorded cannot be trusted any further, and ends.
void Runtime::end_broken(const EventError& error) {
  const auto loop = begin_call(false);
  if (!loop) return;
  boost::asio::post(*loop, [self = shared_from_this(), error] {
    if (const auto session = self->begun()) session->end_broken(error);
    self->end_call();
  });
}

void Runtime::report_exception(const std::exception_ptr& thrown) noexcept {
  try {
    const detail::Outcome outcome = outcome_of(thrown);
    if (is_broken_invariant(thrown)) return end_broken({to_string(Errc::internal), outcome.sentence});
    report({to_string(Errc::internal), fmt::format("A step of the recorder failed: {}", outcome.sentence)});
  } catch (...) {  // there is no memory left even for that
  }
}

// --- Sessions that were left unfinished, or are too old --------------------------------------------------------------

/// Once, and not with a transcriber of the user's, which is made for the session that it was configured for.
void Runtime::finish_old_sessions() {
  if (config_.custom_transcriber || !transcription::transcribes(config_) || std::exchange(looked_for_unfinished_, true))
    return;
  const Strands strands = this->strands();
  // Not on `disk`: a manifest of each session is read, and the new session's files do not wait for thousands of them.
  boost::asio::post(strands.work, [self = shared_from_this(), loop = strands.loop] {
    std::vector<std::filesystem::path> paths;
    for (const auto& unfinished : session::find_unfinished(journal::session_root(self->config_))) {
      if (unfinished.is_private) paths.push_back(unfinished.path);
    }
    boost::asio::co_spawn(loop, self->finish_sessions(std::move(paths)), [self](const std::exception_ptr&) {});
  });
}

/// One that cannot be finished (damaged, or another process has it) is left for `dictum resume`, which says why.
Runtime::Awaitable Runtime::finish_sessions(std::vector<std::filesystem::path> unfinished) {
  for (auto& path : unfinished) {
    if (shared_.lock()->is_shut_down) co_return;
    try {
      co_await resume(std::move(path), Redo::nothing, Session::Visibility::in_background);
    } catch (const std::exception&) {
    }
  }
}

/// Among what may block, once: thousands of files may be to be deleted.
void Runtime::remove_remains() {
  if (std::exchange(removed_remains_, true)) return;
  boost::asio::post(strands().work, [root = journal::session_root(config_)] { session::remove_remains(root); });
}

/// Among what may block: the new session's files do not wait for it.
void Runtime::delete_old_sessions() {
  if (config_.retention.older_than.empty()) return;
  const auto age = parse_age(config_.retention.older_than);  // checked at the start
  boost::asio::post(strands().work, [weak = weak_from_this(), root = journal::session_root(config_),
                                     keep_notes = config_.retention.keep_notes, before = time_.clock->now() - *age] {
    const auto goes_on = [&weak] {
      const auto self = weak.lock();
      return self && !self->shared_.lock()->is_shut_down;
    };
    try {
      session::prune(root, {.before = before, .keep_notes = keep_notes, .goes_on = goes_on});
    } catch (...) {
      if (const auto self = weak.lock()) self->report(error_of_current_exception());
    }
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
