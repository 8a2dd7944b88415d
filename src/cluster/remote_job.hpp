#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace dictum::cluster {

/// The rules of one job on the recorder's side, without I/O: inputs in, actions out. Whatever is delivered twice, lost
/// or late on the way, the job finishes once. A plain value; lives with its owner, on one thread.
class RemoteJob {
 public:
  enum class State {
    idle,        ///< not started
    looking,     ///< whether a result is there from an earlier time
    publishing,  ///< the job is on its way into its stream
    waiting,     ///< the stream has it; a result is awaited
    checking,    ///< the stream does not have it any more; whether it has a result
    over,        ///< finished, or no longer wanted
  };

  /// A result that is stored, or has come.
  struct Result {
    std::uint32_t generation{};
    bool is_error{};
  };

  // Actions.
  struct LookUpResult {};
  struct Publish {
    std::uint32_t generation;
    bool operator==(const Publish&) const = default;
  };
  struct LookUpJob {
    std::uint64_t sequence;
    bool operator==(const LookUpJob&) const = default;
  };
  struct Withdraw {  ///< takes the job out of its stream
    std::uint64_t sequence;
    bool operator==(const Withdraw&) const = default;
  };
  struct Finish {};  ///< with the result that was given last
  using Action = std::variant<LookUpResult, Publish, LookUpJob, Withdraw, Finish>;
  using Actions = std::vector<Action>;

  // Inputs.

  void start(Actions& actions);

  /// Answers LookUpResult: what is stored, if anything.
  void result_looked_up(std::optional<Result> stored, Actions& actions);

  /// Answers Finish: pieces of that result are missing, so that the job is to be done again.
  void result_is_incomplete(Actions& actions);

  /// Answers Publish. `was_there`: the stream had taken the same message before.
  void published(std::uint64_t sequence, bool was_there, Actions& actions);

  /// Answers LookUpJob: whether the stream still has the job, waiting or at a worker.
  void job_looked_up(bool is_there, Actions& actions);

  /// A result came by itself, perhaps not for the first time.
  void result_arrived(Result result, Actions& actions);

  /// Nothing has come for a while, or the connection was interrupted: something may have been lost.
  void check_due(Actions& actions);

  /// The text is no longer wanted.
  void cancel(Actions& actions);

  State state() const { return state_; }
  std::uint32_t generation() const { return generation_; }

 private:
  bool is_answer(const Result& result) const { return !result.is_error || result.generation >= generation_; }
  void publish(std::uint32_t generation, Actions& actions);
  void finish(const Result& result, Actions& actions);

  State state_ = State::idle;
  std::uint32_t generation_ = 0;
  std::uint64_t sequence_ = 0;  // of the job in its stream
};

}  // namespace dictum::cluster
