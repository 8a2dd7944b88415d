#pragma once

#include <chrono>
#include <optional>

#include "transcription/worker_failure.hpp"

namespace dictum::transcription {

/// What failed starts of workers mean for the jobs: whether they wait for a better time or fail. Without I/O; a plain
/// value; lives with its owner.
class StartFailures {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Rules {
    int starts{};                                 ///< that fail in a row, at least, before jobs do
    std::chrono::milliseconds start_patience{};   ///< with workers that fail by themselves
    std::chrono::milliseconds outage_patience{};  ///< with workers that are killed from outside
  };

  explicit StartFailures(Rules rules) : rules_(rules) {}

  /// A worker is ready.
  void clear();

  /// A start failed while no worker was ready. Returns why the waiting jobs fail; nothing where they wait on.
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
