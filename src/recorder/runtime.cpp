#include "recorder/runtime.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <utility>

#include "base/invariant.hpp"
#include "base/outcome.hpp"
#include "delivery/event_queue.hpp"
#include "dictum/detail/completion.hpp"
#include "recorder/session_errors.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
constexpr auto kShutDownBound = 1900ms;
constexpr auto kLastDeliveryBound = 1s;  // of the shut-down: the remainder of its time is for the files

/// The subscriber whose callback makes this call, if it is one of a runtime's: nothing waits for it.
void stop_waiting_for_caller() {
  if (auto* queue = dynamic_cast<delivery::EventQueue*>(detail::current_delivery())) queue->stop_waiting();
}

/// Whether a command has nothing to do where nothing was ever started, rather than nothing to work on.
bool succeeds_without_session(const Command& command, const std::optional<Change>& change) {
  if (change) return change->applies != Change::Applies::while_recording;
  return !std::holds_alternative<PauseRecording>(command) && !std::holds_alternative<ResumeRecording>(command);
}

}  // namespace

Runtime::Runtime(RecorderConfig config, boost::asio::any_io_executor work, std::shared_ptr<const Timers> timers)
    : config_(std::move(config)),
      time_{.clock = config_.clock ? config_.clock : std::make_shared<const SystemClock>(),
            .timers = std::move(timers)},
      strands_(std::move(work)),
      next_config_(config_),
      transcribers_(config_, time_.clock),
      housekeeping_(config_, time_.clock),
      commands_(runner_parts()) {}

Runtime::~Runtime() = default;

CommandRunner::Parts Runtime::runner_parts() {
  return {.host = [this] { return shared_from_this(); },
          .time = time_,
          .drain_sec = config_.transcription.drain_sec,
          .newest_path = [this] { return session_path(); },
          .started = [this] { session_started(); },
          .ended =
              [this](const Session& session) {
                threads_are_unused_ = !session.has_recorded();
                give_threads_back();
              },
          .report_exception = [this](const std::exception_ptr& thrown) { report_exception(thrown); }};
}

ExceptionHandler Runtime::exception_handler() {
  return [weak = weak_from_this()](const std::exception_ptr& thrown) {
    if (const auto self = weak.lock()) self->report_exception(thrown);
  };
}

// --- The caller's side -----------------------------------------------------------------------------------------------

void Runtime::submit(Command command, detail::Completion done) {
  Reply reply(std::move(done));
  try {
    if (std::holds_alternative<StartRecording>(command)) config_.validate();
    if (std::holds_alternative<StopRecording>(command)) stop_waiting_for_caller();
    const auto change = change_of(command);
    if (change && change->for_next_start) change->for_next_start(*next_config_.lock());
    const bool makes_threads = std::holds_alternative<StartRecording>(command) ||
                               (std::holds_alternative<RetryFailed>(command) && session_path());
    const auto loop =
        makes_threads ? std::optional(strands_.begin_first_call(exception_handler())) : strands_.begin_call();
    if (loop) {
      spawn(*loop, commands_.execute(std::move(command)), std::move(reply));
    } else if (succeeds_without_session(command, change)) {
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
    const auto loop = strands_.begin_first_call(exception_handler());
    spawn(loop, commands_.resume(std::move(session), redo, Visibility::published, drain_sec), std::move(reply));
  } catch (...) {
    reply.give(outcome_of_current_exception());
  }
}

void Runtime::spawn(const boost::asio::any_io_executor& loop, Awaitable call, Reply reply) {
  boost::asio::co_spawn(
      loop, std::move(call),
      [self = shared_from_this(), reply = std::move(reply)](const std::exception_ptr& thrown) mutable {
        reply.give(outcome_of(thrown));
        self->strands_.end_call();
        self->give_threads_back();
      });
}

/// Where a start failed and nothing else needs them. A call that has begun meanwhile finds them.
void Runtime::give_threads_back() {
  if (!threads_are_unused_ || !commands_.sessions().empty()) return;
  const auto end_workers = [this] {
    transcribers_.abandon();
    transcribers_.reset();
  };
  if (strands_.give_back(end_workers)) threads_are_unused_ = false;
}

std::shared_ptr<detail::EventQueue> Runtime::subscribe(EventFilter filter, detail::EventConsumer consumer) {
  auto queue = std::make_shared<delivery::EventQueue>(
      filter, std::move(consumer),
      [weak = weak_from_this()](std::function<void()> work) {
        const auto self = weak.lock();
        return self && self->strands_.post_to_disk(std::move(work));
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

void Runtime::shut_down(Subscribers subscribers) noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kShutDownBound;
  const auto loop = strands_.shut_down();
  if (!loop) return;
  try {
    stop_waiting_for_caller();
    if (subscribers == Subscribers::cannot_be_awaited) subscribers_.stop_waiting();
    std::promise<void> ended;
    auto all_ended = ended.get_future();
    spawn(*loop, end_sessions(),
          Reply([ended = std::move(ended)](const detail::Outcome&) mutable { ended.set_value(); }));
    all_ended.wait_until(deadline);
  } catch (...) {  // no memory: the threads end as they are
  }
  strands_.join(deadline);
}

Runtime::Awaitable Runtime::end_sessions() {
  const auto patience = time_.timers->make_timer(strands().loop);
  patience->start(kLastDeliveryBound, [this] { subscribers_.stop_waiting(); });
  commands_.shut_down();
  transcribers_.abandon();
  co_await commands_.ended();
  transcribers_.reset();
}

// --- What a session needs of its recorder ----------------------------------------------------------------------------

RecorderConfig Runtime::config() const {
  if (strands_.is_shut_down()) throw RecorderError(Errc::cancelled, "The recorder was destroyed.");
  return *next_config_.lock();
}

SessionRunner Runtime::transcriber(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency) {
  return transcribers_.runner(pool, urgency, strands().loop, [weak = weak_from_this()](CoreDriver::Input give) {
    const auto self = weak.lock();
    Session* const session = self ? self->commands_.sessions().begun() : nullptr;
    if (session != nullptr) session->input(std::move(give));
  });
}

// --- What goes wrong outside of a session ----------------------------------------------------------------------------

void Runtime::with_session(std::function<void(Session&)> work) {
  const auto loop = strands_.begin_call();
  if (!loop) return;
  boost::asio::post(*loop, [self = shared_from_this(), work = std::move(work)] {
    if (Session* const session = self->commands_.sessions().begun()) work(*session);
    self->strands_.end_call();
  });
}

void Runtime::report(const EventError& error) {
  with_session([error](Session& session) { session.report(error); });
}

/// Where an invariant is broken, the session that is being recorded cannot be trusted any further, and ends.
void Runtime::report_exception(const std::exception_ptr& thrown) noexcept {
  try {
    const detail::Outcome outcome = outcome_of(thrown);
    const EventError broken{to_string(Errc::internal), outcome.sentence};
    if (is_broken_invariant(thrown)) return with_session([broken](Session& session) { session.end_broken(broken); });
    report({to_string(Errc::internal), fmt::format("A step of the recorder failed: {}", outcome.sentence)});
  } catch (...) {  // there is no memory left even for that
  }
}

// --- Older sessions --------------------------------------------------------------------------------------------------

void Runtime::session_started() {
  const Strands strands = this->strands();
  const auto call = counted_call();
  housekeeping_.session_started(
      strands, {.goes_on =
                    [weak = weak_from_this()] {
                      const auto self = weak.lock();
                      return self && !self->strands_.is_shut_down();
                    },
                .report =
                    [weak = weak_from_this()](const EventError& error) {
                      if (const auto self = weak.lock()) self->report(error);
                    },
                .finish_sessions =
                    [self = shared_from_this(), loop = strands.loop, call](std::vector<std::filesystem::path> paths) {
                      boost::asio::co_spawn(loop, self->commands_.finish(std::move(paths)),
                                            [self, call](const std::exception_ptr&) {});
                    }});
}

std::shared_ptr<const void> Runtime::counted_call() {
  if (!strands_.begin_call()) return nullptr;
  return {this, [self = shared_from_this()](const void*) { self->strands_.end_call(); }};
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
