#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/timer.hpp"
#include "dictum/clock.hpp"
#include "dictum/event.hpp"
#include "dictum/transcriber.hpp"
#include "transcription/job_runner.hpp"
#include "transcription/worker.hpp"
#include "transcription/worker_process.hpp"

namespace dictum::transcription {

struct WorkerPoolSettings {
  std::string name;                                ///< of the transcriber; its workers are "NAME-0", "NAME-1" ...
  std::filesystem::path executable;                ///< of the worker
  std::filesystem::path guard;                     ///< dictum-guard
  std::string model;                               ///< as the user wrote it; empty: the worker's default
  std::string language;                            ///< BCP 47, for jobs that name none; empty: the engine's choice
  std::map<std::string, std::string> environment;  ///< added to what workers get of the host's
  int workers = 1;
  int attempts = 3;              ///< in all, each after a failure on a fresh worker
  std::uint64_t memory_cap = 0;  ///< of each worker's data, in bytes; 0: none

  std::chrono::duration<double> deadline_base{30};     ///< an attempt may take this long ...
  std::chrono::duration<double> deadline_per_sec{10};  ///< ... and this much more for each second of audio
  std::chrono::milliseconds hello_timeout{60'000};     ///< for loading the model
  std::chrono::milliseconds backoff{100};              ///< before a fresh worker; doubled with each failure in a row
  std::chrono::milliseconds start_patience{10'000};    ///< before it is reported that no worker can be started
  std::chrono::milliseconds outage_patience{300'000};  ///< the same where workers are killed from outside
  std::chrono::milliseconds ping_interval{2'000};      ///< while a job runs
  int lost_pings = 5;                                  ///< this many intervals without a pong: the process is stuck
  std::chrono::milliseconds preview_interval{1'000};   ///< between interim texts
  std::optional<std::chrono::milliseconds>
      unload_after;  ///< an idle worker is ended, and its model's memory given back

  std::shared_ptr<const WorkerPoolSettings> fallback{};  ///< of a local pool for the time that a cluster is away
  std::chrono::milliseconds fallback_after{};            ///< with a cluster that does not answer
};

/// What a pool reports beside the outcomes; from its strand, never from inside a call.
struct WorkerPoolEvents {
  std::function<void(WorkerStatus status)> on_status;
  /// Text so far of a segment of `session` (`TranscriptionJob::session`): a pool works for several sessions, which
  /// number their segments alike.
  std::function<void(std::string session, std::uint32_t segment_index, std::string text, std::size_t stable_chars)>
      on_partial;
};

/// Transcribes in warm, supervised, expendable worker processes: carries out what `WorkerSlot` and `JobQueue` decide.
///
/// Threads: lives on the serial executor that it was made with, where all its methods are called; never blocks.
/// Owner: the recorder; serves any number of sessions.
/// Failures: never throws for what a worker does; each job ends in exactly one outcome, and a failed one says why.
/// While no worker can be started jobs wait, and their source is notified. Workers are started when there is work.
/// While none has a job, no timer runs (but for `unload_after` and a pause after a failure).
class WorkerPool final : public JobRunner {
 public:
  /// `timers` and `start` are the machine's own outside tests.
  WorkerPool(boost::asio::any_io_executor strand, WorkerPoolSettings settings, std::shared_ptr<const Clock> clock,
             WorkerPoolEvents events, std::shared_ptr<const Timers> timers = std::make_shared<SystemTimers>(),
             StartWorker start = start_worker_process);
  ~WorkerPool() override;

  /// Live jobs go first, in the order of their submission; background jobs leave a worker to the live ones where there
  /// are several.
  void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority = Priority::live) override;

  /// Only where a worker is idle that no final text has to wait for.
  void begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) override;

  /// The worker stays warm.
  void cancel_early(std::uint32_t segment) override;

  /// Starts a worker where none is there.
  void warm_up() override;

  /// Starts a worker, so that the first job finds a loaded model, and reports whether the settings can work at all: an
  /// error where the program, the model or the language never will, with what to write instead; nothing as soon as a
  /// worker is ready or failed for another reason, which is tried again.
  void prepare(std::function<void(std::optional<EventError>)> done) override;

  void preview(TranscriptionJob growing) override;
  void end_preview(std::uint32_t segment_index) override;
  void abandon() override;

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace dictum::transcription
