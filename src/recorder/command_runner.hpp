#pragma once

#include <boost/asio/awaitable.hpp>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dictum/command.hpp"
#include "recorder/change.hpp"
#include "recorder/redo.hpp"
#include "recorder/session.hpp"
#include "recorder/session_list.hpp"
#include "recorder/time_source.hpp"

namespace dictum::recorder {

/// Carries out the commands of one recorder on its sessions. What a command means in which state is decided by the
/// session's life cycle and its core.
///
/// Threads: lives on the `loop` strand, where each coroutine runs. Owner: the host, which whoever spawns a coroutine
/// keeps. The coroutines throw what the command fails with.
class CommandRunner {
 public:
  using Awaitable = boost::asio::awaitable<void>;

  struct Parts {
    std::function<std::shared_ptr<SessionHost>()> host;  ///< that owns this
    TimeSource time;
    double drain_sec{};                                                 ///< of a stop that says nothing else
    std::function<std::optional<std::filesystem::path>()> newest_path;  ///< of a session, ended ones as well
    std::function<void()> started;                                      ///< a session that a start has begun
    std::function<void(const Session&)> ended;                          ///< the same, and it is no longer in the list
    std::function<void(const std::exception_ptr&)> report_exception;    ///< of a session that could not go on
  };

  explicit CommandRunner(Parts parts) : parts_(std::move(parts)) {}

  Awaitable execute(Command command);

  /// Does what a session on disk lacks. Done when nothing is left to wait for. `drain_sec`: how long texts are waited
  /// for; negative: no limit.
  Awaitable resume(std::filesystem::path path, Redo redo, Visibility visibility, double drain_sec);

  /// Does the same for sessions that were left unfinished, one after the other, and publishes nothing of it. One that
  /// cannot be finished (damaged, or another process has it) is left for `dictum resume`, which says why.
  Awaitable finish(std::vector<std::filesystem::path> unfinished);

  /// Every session ends, and none is finished any more. `ended` returns once all have.
  void shut_down();
  Awaitable ended();

  const SessionList& sessions() const { return sessions_; }

 private:
  Awaitable carry_out(StartRecording command);
  Awaitable carry_out(CancelStart command);
  Awaitable carry_out(StopRecording command);
  Awaitable carry_out(PauseRecording command);
  Awaitable carry_out(ResumeRecording command);
  Awaitable carry_out(RetryFailed command);
  Awaitable carry_out(WaitUntilIdle command);
  template <ChangesOnly Which>
  Awaitable carry_out(const Which& /*change_of_does_it*/) {
    co_return;
  }
  void carry_out(const Change& change);

  Session& begun() const;
  Session::Pointer make_session(Visibility visibility);
  void start_session();
  std::optional<SessionLifecycle::Time> drain_deadline(double drain_sec) const;

  const Parts parts_;
  SessionList sessions_;
  bool is_shut_down_ = false;
};

}  // namespace dictum::recorder
