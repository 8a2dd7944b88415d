#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "dictum/transcriber.hpp"
#include "transcription/agreement.hpp"
#include "transcription/job_queue.hpp"
#include "transcription/slot_driver.hpp"

namespace dictum::transcription {

/// One worker of a pool, and what it works on. Lives on the pool's strand; owned by its `WorkerLanes`.
struct WorkerLane {
  /// What the worker does that somebody still waits for.
  enum class Work {
    none,
    job,      ///< a segment that was submitted
    early,    ///< one that has probably ended
    interim,  ///< one that is still being spoken
  };

  WorkerLane(std::string worker_name, WorkerSlot::Settings settings, SlotDriver::Parts parts, const Timers& timers)
      : name(std::move(worker_name)), driver(std::move(settings), std::move(parts), timers) {}

  const std::string name;
  SlotDriver driver;
  Work work = Work::none;
  QueuedJob entry;       // of Work::job
  TranscriptionJob job;  // of Work::job and Work::early
  std::chrono::steady_clock::time_point started;
  Agreement agreement;  // of the partial texts of Work::job

  WorkerSlot::State state() const { return driver.state(); }
  bool is_idle() const { return state() == WorkerSlot::State::idle; }
};

}  // namespace dictum::transcription
