#pragma once

#include <chrono>
#include <optional>

#include "transcription/worker_failure.hpp"

namespace dictum::transcription {

/// What failed starts of workers mean for the jobs: whether they wait for a better time, and whoever wants them has to
/// know, or fail. Without I/O; a plain
/// value; lives with its owner.
class StartFailures {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Rules {
    int starts{};                                 ///< that fail in a row, at least, before that is reported
    std::chrono::milliseconds start_patience{};   ///< with workers that fail by themselves
    std::chrono::milliseconds outage_patience{};  ///< with workers that are killed from outside
  };

  explicit StartFailures(Rules rules) : rules_(rules) {}

  /// A worker is ready.
  void clear();

  /// A start failed while no worker was ready. Returns what is to be reported to whoever waits for jobs; nothing while
  /// that is too early. With the cause `settings` the jobs fail, since no start can succeed.
  std::optional<WorkerFailure> add(WorkerFailure failure, Time now);

  /// Why a new job fails at once: the settings can never work. They are tried again after half a minute, in case that
  /// what is missing was installed.
  std::optional<WorkerFailure> refusal(Time now) const;

 private:
  Rules rules_;
  int starts_ = 0;  // that failed in a row
  Time first_;
  std::optional<WorkerFailure> refusal_;
  Time refused_until_;
};

}  // namespace dictum::transcription
