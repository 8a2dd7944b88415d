#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dictum/event.hpp"
#include "transcription/worker_failure.hpp"
#include "transcription/worker_protocol.hpp"

namespace dictum::transcription {

/// The rules of one worker's life, without I/O: inputs in, actions out. The pool feeds it what its process, its timers
/// and the queue say, and carries the actions out in their order. A plain value; lives with its owner. An input that
/// does not fit the state is ignored where it can be late, and a logic error of the owner where it cannot (`run`).
class WorkerSlot {
 public:
  enum class State {
    dead,         ///< no process; a new one may be started
    starting,     ///< the owner is starting the process
    handshake,    ///< the process loads its model; its hello is awaited
    idle,         ///< ready for a task
    busy,         ///< runs a task
    stopping,     ///< its task was cancelled; the worker still has to answer it
    backing_off,  ///< no process; pauses after a failure
  };

  struct Settings {
    std::string program;   ///< the executable, for messages
    std::string language;  ///< that jobs will be in; empty or "auto": any
    std::chrono::milliseconds hello_timeout{};
    std::chrono::milliseconds backoff{};  ///< doubled with each failure in a row
    std::chrono::milliseconds ping_interval{};
    int lost_pings{};
    std::optional<std::chrono::milliseconds> unload_after;
  };

  struct Task {
    Job job;                               ///< its `id` is set by the slot
    std::chrono::milliseconds deadline{};  ///< for the answer
    double seconds{};                      ///< of audio; bounds the text
  };

  /// The timers that the owner keeps for a slot.
  enum class TimerId {
    deadline,  ///< ends what the state waits for: a hello, an answer, a cancelled task, a pause after a failure,
               ///< idleness
    ping,      ///< while a task runs: when the next ping is due
  };

  // Actions.
  struct StartProcess {};
  struct KillProcess {};
  struct Send {
    Message message;
  };
  struct LimitFrames {
    std::size_t bytes;  ///< longer frames from the worker are a breach of the protocol
  };
  struct StartTimer {
    TimerId timer;
    std::chrono::milliseconds delay;
  };
  struct CancelTimer {
    TimerId timer;
  };
  struct Report {
    WorkerState state;
    std::string reason;
    std::string code{};  ///< of what went wrong; empty otherwise
  };
  struct PartialText {
    std::string text;
  };
  struct Answered {
    Result result;
  };
  struct TaskFailed {
    WorkerFailure failure;
    bool fresh;  ///< it was the first task of its process
  };
  struct Ready {};  ///< the worker said hello
  struct StartFailed {
    WorkerFailure failure;
  };
  using Action = std::variant<StartProcess, KillProcess, Send, LimitFrames, StartTimer, CancelTimer, Report,
                              PartialText, Answered, TaskFailed, Ready, StartFailed>;
  using Actions = std::vector<Action>;

  explicit WorkerSlot(Settings settings) : settings_(std::move(settings)) {}

  // Inputs.

  /// A worker is wanted.
  void start(Actions& actions);

  /// The process runs.
  void process_started(Actions& actions);

  /// The process cannot be started.
  void process_not_started(WorkerFailure failure, Actions& actions);

  void received(Message message, Actions& actions);

  /// The process ended by itself, was killed by somebody else, or sent what is no message.
  void process_ended(WorkerFailure failure, Actions& actions);

  /// Precondition: idle.
  void run(Task task, Actions& actions);

  /// The task is no longer wanted: it has no outcome, and the worker stays warm.
  void cancel(Actions& actions);

  void timer_fired(TimerId timer, Actions& actions);

  /// The process is not wanted any more. A task has no outcome.
  void stop(Actions& actions);

  State state() const { return state_; }
  bool is_ready() const { return state_ == State::idle || state_ == State::busy || state_ == State::stopping; }

  /// Whether the process has had no task yet.
  bool is_fresh() const { return tasks_ == 0; }

  /// Of the latest process.
  const Hello& hello() const { return hello_; }

 private:
  void on_first_message(const Message& message, Actions& actions);
  void on_task_message(Message message, Actions& actions);
  void on_pong(std::uint64_t nonce, Actions& actions);
  void on_job_error(const Error& error, Actions& actions);
  bool is_expected(std::uint64_t id, const char* what, Actions& actions);

  void become_idle(Actions& actions);
  void lose(WorkerFailure failure, Actions& actions);
  void breach(const std::string& what, Actions& actions, FailureCause cause = FailureCause::worker);
  void fail_start(WorkerFailure failure, Actions& actions);
  void kill(Actions& actions);
  void back_off(Actions& actions);
  void start_ping(Actions& actions);
  void on_deadline(Actions& actions);
  void on_ping_due(Actions& actions);

  Settings settings_;
  State state_ = State::dead;
  Hello hello_;
  int failures_ = 0;  // in a row, of tasks and starts

  Task task_;
  std::uint64_t last_id_ = 0;  // of a task; never used twice
  int tasks_ = 0;              // that this process was given
  bool answered_ = false;      // this process has answered a task
  int messages_ = 0;           // about the task
  std::uint64_t pings_ = 0;    // sent to this process
  std::uint64_t pongs_ = 0;    // of those, answered
  int lost_ = 0;               // intervals without an answer
};

}  // namespace dictum::transcription
