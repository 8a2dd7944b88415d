#include "transcription/worker_slot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dictum/error.hpp"
#include "text/words.hpp"
#include "transcription/worker_text.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kMaxBackoff = 5s;
constexpr auto kCancelGrace = 1s;           // on top of what a worker promised, since others use the machine, too ...
constexpr int kUnpromisedCancelMs = 1'600;  // ... or did not
constexpr int kMaxCancelMs = 10'000;
constexpr int kMaxMessagesPerTask = 10'000;  // partials and progress; more is a flood

double in_seconds(std::chrono::duration<double> time) {
  return time.count();
}

WorkerFailure failure(Errc code, std::string message, FailureCause cause = FailureCause::worker) {
  return {.cause = cause, .code = to_string(code), .message = std::move(message)};
}

}  // namespace

void WorkerSlot::start(Actions& actions) {
  if (state_ != State::dead) return;
  state_ = State::starting;
  actions.emplace_back(Report{WorkerState::starting, for_people(settings_.program)});
  actions.emplace_back(StartProcess{});
}

void WorkerSlot::process_started(Actions& actions) {
  if (state_ != State::starting) return;
  state_ = State::handshake;
  tasks_ = 0;
  answered_ = false;
  pings_ = pongs_ = 0;
  actions.emplace_back(StartTimer{TimerId::deadline, settings_.hello_timeout});
}

void WorkerSlot::process_not_started(WorkerFailure failure, Actions& actions) {
  if (state_ == State::starting) fail_start(std::move(failure), actions);
}

void WorkerSlot::received(Message message, Actions& actions) {
  switch (state_) {
    case State::dead:
    case State::starting:
    case State::backing_off:
      return;  // of a process that was killed meanwhile
    case State::handshake:
      return on_first_message(message, actions);
    case State::idle:
    case State::busy:
    case State::stopping:
      return on_task_message(std::move(message), actions);
  }
}

void WorkerSlot::process_ended(WorkerFailure failure, Actions& actions) {
  switch (state_) {
    case State::dead:
    case State::starting:
    case State::backing_off:
      return;
    case State::handshake:
      failure.code = to_string(Errc::transcriber_missing);
      return fail_start(std::move(failure), actions);
    case State::idle:
    case State::busy:
    case State::stopping:
      // It could be started, so it was not for its settings.
      if (failure.cause == FailureCause::settings) failure.cause = FailureCause::worker;
      if (is_remote(hello_)) failure.cause = FailureCause::outside;
      return lose(std::move(failure), actions);
  }
}

void WorkerSlot::run(Task task, Actions& actions) {
  if (state_ != State::idle) return;
  state_ = State::busy;
  task_ = std::move(task);
  task_.job.id = ++last_id_;
  ++tasks_;
  messages_ = lost_ = 0;
  actions.emplace_back(LimitFrames{max_frame_bytes(task_.seconds)});
  actions.emplace_back(Send{task_.job});
  actions.emplace_back(StartTimer{TimerId::deadline, task_.deadline});
  start_ping(actions);
}

void WorkerSlot::cancel(Actions& actions) {
  if (state_ != State::busy) return;
  state_ = State::stopping;
  const int promised = std::min(hello_.cancel_ms.value_or(kUnpromisedCancelMs), kMaxCancelMs);
  actions.emplace_back(Send{Cancel{last_id_}});
  actions.emplace_back(StartTimer{TimerId::deadline, std::chrono::milliseconds(promised) + kCancelGrace});
}

void WorkerSlot::timer_fired(TimerId timer, Actions& actions) {
  if (timer == TimerId::deadline) return on_deadline(actions);
  if (state_ == State::busy || state_ == State::stopping) on_ping_due(actions);
}

void WorkerSlot::stop(Actions& actions) {
  if (state_ == State::dead) return;
  kill(actions);
  state_ = State::dead;
}

void WorkerSlot::on_deadline(Actions& actions) {
  switch (state_) {
    case State::dead:
    case State::starting:
      return;
    case State::handshake:
      return fail_start(failure(Errc::transcriber_missing,
                                fmt::format("The transcriber {} did not say hello within {:.3g} s.",
                                            for_people(settings_.program), in_seconds(settings_.hello_timeout))),
                        actions);
    case State::idle:
      kill(actions);
      state_ = State::dead;
      actions.emplace_back(Report{WorkerState::stopped, "unloaded while idle"});
      return;
    case State::busy:
      return lose(failure(Errc::deadline_exceeded,
                          fmt::format("The worker did not answer within {:.3g} s.", in_seconds(task_.deadline))),
                  actions);
    case State::stopping:
      return lose(failure(Errc::deadline_exceeded, "The worker ignored a cancel request and was stopped."), actions);
    case State::backing_off:
      state_ = State::dead;
      return;
  }
}

/// Asks once an interval, as long as there is a task, whether the process is alive at all.
void WorkerSlot::on_ping_due(Actions& actions) {
  lost_ = pongs_ == pings_ ? 0 : lost_ + 1;
  if (lost_ >= settings_.lost_pings) {
    return lose(failure(Errc::deadline_exceeded,
                        fmt::format("The worker's process does not react any more: {} pings were lost.", lost_)),
                actions);
  }
  if (lost_ == 0) actions.emplace_back(Send{Ping{++pings_}});
  start_ping(actions);
}

void WorkerSlot::start_ping(Actions& actions) {
  actions.emplace_back(StartTimer{TimerId::ping, settings_.ping_interval});
}

void WorkerSlot::on_first_message(const Message& message, Actions& actions) {
  if (const auto* const error = std::get_if<Error>(&message)) {
    const std::string code = code_of(*error);
    const bool of_settings = is_of_settings(code);
    return fail_start({.cause = of_settings ? FailureCause::settings : FailureCause::worker,
                       .code = of_settings ? code : to_string(Errc::transcriber_missing),
                       .message = for_people(error->message)},
                      actions);
  }
  const auto* const hello = std::get_if<Hello>(&message);
  if (hello == nullptr)
    return breach(fmt::format("a message of type \"{}\" before its hello", type_name(message)), actions);
  if (hello->protocol != kProtocolVersion) {
    return fail_start(
        failure(Errc::transcriber_missing,
                fmt::format("The transcriber {} speaks version {} of the worker protocol, and this program version {}. "
                            "Install the version that belongs to this program.",
                            for_people(settings_.program), hello->protocol, kProtocolVersion),
                FailureCause::settings),
        actions);
  }
  if (auto problem = language_problem(*hello, settings_.language)) {
    return fail_start(failure(Errc::invalid_argument, *std::move(problem), FailureCause::settings), actions);
  }
  hello_ = *hello;
  actions.emplace_back(
      Report{WorkerState::ready,
             for_people(hello_.model.empty() ? hello_.engine : hello_.engine + ", model " + hello_.model)});
  become_idle(actions);
  actions.emplace_back(Ready{});
}

void WorkerSlot::on_task_message(Message message, Actions& actions) {
  if (auto* const result = std::get_if<Result>(&message)) {
    if (!is_expected(result->id, "an answer to", actions)) return;
    if (const auto excess = excess_of(*result, task_.seconds)) return breach(*excess, actions);
    compose(*result);
    failures_ = 0;
    answered_ = true;
    const bool is_wanted = state_ == State::busy;
    become_idle(actions);
    if (is_wanted) actions.emplace_back(Answered{std::move(*result)});
  } else if (const auto* const error = std::get_if<Error>(&message)) {
    on_job_error(*error, actions);
  } else if (auto* const partial = std::get_if<Partial>(&message)) {
    if (!is_expected(partial->id, "partial text of", actions)) return;
    if (is_excessive(*partial, task_.seconds)) return breach("a partial text that is too long for its audio", actions);
    if (state_ == State::busy) actions.emplace_back(PartialText{text::composed(partial->text)});
  } else if (const auto* const progress = std::get_if<Progress>(&message)) {
    if (!is_expected(progress->id, "progress of", actions)) return;
    if (is_remote(hello_) && state_ == State::busy) {  // it waits for others' engines, for as long as it takes
      messages_ = 0;
      actions.emplace_back(StartTimer{TimerId::deadline, task_.deadline});
    }
  } else if (const auto* const pong = std::get_if<Pong>(&message)) {
    on_pong(pong->nonce, actions);
  } else {
    breach(fmt::format("a message of type \"{}\" out of order", type_name(message)), actions);
  }
}

void WorkerSlot::on_pong(std::uint64_t nonce, Actions& actions) {
  if (pongs_ == pings_ || nonce != pings_) return breach("a pong without a ping", actions);
  pongs_ = pings_;
}

void WorkerSlot::on_job_error(const Error& error, Actions& actions) {
  const std::string code = code_of(error);
  WorkerFailure reported{.cause = is_of_settings(code) ? FailureCause::settings : FailureCause::worker,
                         .code = code,
                         .message = for_people(error.message)};
  if (!error.id || error.fatal) {
    if (is_remote(hello_)) reported.cause = FailureCause::outside;
    return lose(std::move(reported), actions);
  }
  if (is_remote(hello_)) reported.cause = FailureCause::job;  // other machines have tried it already
  const FailureCause cause = reported.cause;
  if (!is_expected(*error.id, "an error about", actions)) return;
  if (state_ == State::stopping) return become_idle(actions);
  const TaskFailed failed{reported, tasks_ == 1};
  if (cause == FailureCause::settings || cause == FailureCause::job || task_.job.interim) {
    become_idle(actions);
  } else {  // the next attempt gets a fresh process
    kill(actions);
    actions.emplace_back(Report{WorkerState::stopped, reported.message, reported.code});
    back_off(actions);
  }
  actions.emplace_back(failed);
}

/// Whether a message about the task `id` may come now. Where it may not, the worker is lost.
bool WorkerSlot::is_expected(std::uint64_t id, const char* what, Actions& actions) {
  if (state_ == State::idle || id != last_id_) {
    // A second answer to an earlier job is no fault of this one.
    const bool is_late = state_ == State::busy && answered_ && id < last_id_;
    breach(fmt::format("{} a job that it does not have", what), actions,
           is_late ? FailureCause::outside : FailureCause::worker);
    return false;
  }
  if (++messages_ > kMaxMessagesPerTask) {
    breach("a flood of messages about one job", actions);
    return false;
  }
  return true;
}

void WorkerSlot::breach(const std::string& what, Actions& actions, FailureCause cause) {
  const std::string sentence = fmt::format("The worker broke the worker protocol: it sent {}.", what);
  if (state_ == State::handshake) return fail_start(failure(Errc::transcriber_missing, sentence, cause), actions);
  lose(failure(Errc::worker_protocol, sentence, cause), actions);
}

void WorkerSlot::become_idle(Actions& actions) {
  state_ = State::idle;
  actions.emplace_back(CancelTimer{TimerId::ping});
  if (settings_.unload_after) {
    actions.emplace_back(StartTimer{TimerId::deadline, *settings_.unload_after});
  } else {
    actions.emplace_back(CancelTimer{TimerId::deadline});
  }
}

/// The process of a ready worker is of no use any more.
void WorkerSlot::lose(WorkerFailure failure, Actions& actions) {
  const bool had_task = state_ == State::busy;
  kill(actions);
  actions.emplace_back(Report{WorkerState::failed, failure.message, failure.code});
  if (had_task && !task_.job.interim) {
    back_off(actions);
  } else {
    state_ = State::dead;
  }
  if (had_task) actions.emplace_back(TaskFailed{std::move(failure), tasks_ == 1});
}

void WorkerSlot::fail_start(WorkerFailure failure, Actions& actions) {
  kill(actions);
  actions.emplace_back(Report{WorkerState::failed, failure.message, failure.code});
  back_off(actions);
  actions.emplace_back(StartFailed{std::move(failure)});
}

void WorkerSlot::kill(Actions& actions) {
  actions.emplace_back(KillProcess{});
  actions.emplace_back(CancelTimer{TimerId::deadline});
  actions.emplace_back(CancelTimer{TimerId::ping});
}

void WorkerSlot::back_off(Actions& actions) {
  state_ = State::backing_off;
  const int doublings = std::min(failures_++, 10);
  actions.emplace_back(StartTimer{TimerId::deadline, std::min(settings_.backoff * (1 << doublings), kMaxBackoff)});
}

}  // namespace dictum::transcription
