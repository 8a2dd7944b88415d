#include "recorder/command_runner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <utility>
#include <variant>

#include "dictum/error.hpp"
#include "recorder/session_errors.hpp"

namespace dictum::recorder {
namespace {

constexpr double kMaxDrainSec = 1e9;  // as good as no limit, and far from where a clock overflows

}  // namespace

CommandRunner::Awaitable CommandRunner::execute(Command command) {
  if (const auto change = change_of(command)) carry_out(*change);
  co_await std::visit([this](auto& which) { return carry_out(std::move(which)); }, command);
}

CommandRunner::Awaitable CommandRunner::carry_out(StartRecording /*command*/) {
  for (bool begins = false;;) {
    Session* const session = sessions_.newest();
    switch (session != nullptr ? session->decide(SessionCall::start) : CallDecision::next_session) {
      case CallDecision::join:
        co_await session->started();
        if (begins) parts_.started();
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

CommandRunner::Awaitable CommandRunner::carry_out(CancelStart /*command*/) {
  if (Session* const session = sessions_.newest()) session->cancel();
  co_return;
}

CommandRunner::Awaitable CommandRunner::carry_out(StopRecording command) {
  const auto deadline = drain_deadline(command.drain_sec.value_or(parts_.drain_sec));
  // A start that is under way is cancelled; what was recorded before it is stopped.
  Session* session = sessions_.newest();
  for (; session != nullptr && !session->lifecycle().has_started(); session = sessions_.newest()) {
    session->stop(std::nullopt);
    co_await session->ended();
  }
  if (session == nullptr) co_return;
  session->stop(deadline);
  if (!co_await session->stopped()) co_return;
  const auto loop = co_await boost::asio::this_coro::executor;
  co_await parts_.host()->subscribers().delivered(loop, parts_.time.timers.get());
}

CommandRunner::Awaitable CommandRunner::carry_out(PauseRecording /*command*/) {
  co_await begun().pause_capture();
}

CommandRunner::Awaitable CommandRunner::carry_out(ResumeRecording /*command*/) {
  co_await begun().resume_capture();
}

CommandRunner::Awaitable CommandRunner::carry_out(RetryFailed /*command*/) {
  const auto path = parts_.newest_path();
  if (!path) co_return;
  while (Session* const session = sessions_.of_folder(*path)) {
    if (session->decide(SessionCall::retry) == CallDecision::accept) {
      session->retry_failed();
      co_return;
    }
    co_await session->changed();
  }
  co_await resume(*path, Redo::failed, Visibility::published, -1);
}

CommandRunner::Awaitable CommandRunner::carry_out(WaitUntilIdle /*command*/) {
  while (Session* const session = sessions_.busy()) co_await session->changed();
}

void CommandRunner::carry_out(const Change& change) {
  Session* const session = sessions_.begun();
  const bool records = session != nullptr && session->decide(SessionCall::change) == CallDecision::accept;
  if (!records && change.applies == Change::Applies::while_recording) throw not_recording();
  if (records || (session != nullptr && change.applies == Change::Applies::to_texts)) session->change(change);
}

Session& CommandRunner::begun() const {
  Session* const session = sessions_.begun();
  if (session == nullptr) throw not_recording();
  return *session;
}

Session::Pointer CommandRunner::make_session(Visibility visibility) {
  const auto host = parts_.host();
  return std::make_shared<Session>(host, host->strands().loop, parts_.time, visibility);
}

void CommandRunner::start_session() {
  Session* const previous = sessions_.newest();
  const auto session = make_session(Visibility::published);
  sessions_.add_recorded(session);
  const auto host = parts_.host();
  boost::asio::co_spawn(host->strands().loop,
                        session->record(previous != nullptr ? previous->shared_from_this() : nullptr),
                        [this, host, session](const std::exception_ptr& thrown) {
                          if (thrown) {
                            parts_.report_exception(thrown);
                            session->break_off();
                          }
                          sessions_.remove(*session);
                          parts_.ended(*session);
                        });
}

CommandRunner::Awaitable CommandRunner::resume(std::filesystem::path path, Redo redo, Visibility visibility,
                                               double drain_sec) {
  const auto session = make_session(visibility);
  sessions_.add_resumed(session);
  std::exception_ptr failure;
  try {
    co_await session->resume(std::move(path), redo, drain_deadline(drain_sec));
  } catch (...) {
    failure = std::current_exception();
  }
  if (!session->lifecycle().has_ended()) session->break_off();
  sessions_.remove(*session);
  if (failure) std::rethrow_exception(failure);
}

CommandRunner::Awaitable CommandRunner::finish(std::vector<std::filesystem::path> unfinished) {
  for (auto& path : unfinished) {
    if (is_shut_down_) co_return;
    try {
      co_await resume(std::move(path), Redo::nothing, Visibility::in_background, -1);
    } catch (const std::exception&) {
    }
  }
}

std::optional<SessionLifecycle::Time> CommandRunner::drain_deadline(double drain_sec) const {
  if (!(drain_sec >= 0 && drain_sec < kMaxDrainSec)) return std::nullopt;  // NaN as well
  return parts_.time.clock->steady_now() +
         std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(drain_sec));
}

void CommandRunner::shut_down() {
  is_shut_down_ = true;
  for (const auto& session : sessions_.all()) session->shut_down();
}

CommandRunner::Awaitable CommandRunner::ended() {
  for (const auto& session : sessions_.all()) co_await session->ended();
}

}  // namespace dictum::recorder
