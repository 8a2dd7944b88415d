#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "dictum/error.hpp"
#include "transcription/worker_protocol.hpp"

namespace dictum::transcription {

/// Where an engine reports the progress of a job. Safe from any thread while `transcribe` runs.
class JobSink {
 public:
  virtual ~JobSink() = default;
  virtual void partial(const std::string& text) = 0;
  virtual void progress(double fraction) = 0;
};

/// What an engine throws that cannot go on, for a reason outside of the job: ends the worker.
class EngineLost : public RecorderError {
 public:
  explicit EngineLost(const std::string& sentence) : RecorderError(Errc::worker_died, sentence) {}
};

/// An error of somebody else's engine, with a code that may be none of ours.
class EngineError : public RecorderError {
 public:
  EngineError(std::string word, const std::string& sentence)
      : RecorderError(Errc::transcription_failed, sentence), word_(std::move(word)) {}
  const std::string& word() const { return word_; }

 private:
  std::string word_;
};

/// What a worker wraps. Lives on the worker's main thread; made once, so that its model is loaded once. The constructor
/// and `transcribe` may throw: RecorderError passes its code and sentence to the recorder, anything else its what().
class WorkerEngine {
 public:
  virtual ~WorkerEngine() = default;

  /// Sent to the recorder before the first job.
  virtual Hello describe() const = 0;

  /// One job from a clean state. `cancelled` is stopped from another thread when nobody wants the text any more: return
  /// what there is, or throw RecorderError(cancelled). The result's `id` is filled in by the caller.
  virtual Result transcribe(const Job& job, std::stop_token cancelled, JobSink& sink) = 0;
};

using MakeEngine = std::function<std::unique_ptr<WorkerEngine>()>;

/// The whole of a worker's main(): moves the frame channel away from descriptors 0 and 1 (from there on 0 reads nothing
/// and 1 is standard error, so that an engine may print), makes the engine, says hello, answers pings and cancels on a
/// thread of its own while the engine works, and ends when the recorder says so or is gone. Returns main's exit code.
int run_worker(const MakeEngine& make_engine);

}  // namespace dictum::transcription
