#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "dictum/transcriber.hpp"
#include "transcription/job_queue.hpp"
#include "transcription/job_source.hpp"

namespace dictum::transcription {

/// Who transcribes the segments of sessions: the pool of worker processes, or a transcriber of the user's own.
///
/// Threads: every method is called one at a time on one strand and must not block. It outlives the sessions that it
/// serves, or is abandoned with the one that owns it.
class JobRunner {
 public:
  virtual ~JobRunner() = default;

  /// Queues a segment; `source` is asked for the job when its turn has come, so a backlog of any length costs a few
  /// bytes a segment. There is no limit to respect.
  virtual void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) = 0;

  /// Starts the job of a segment that has probably ended. There is no outcome until the segment is submitted, which
  /// then takes over the job under way or its answer; the job of `source` must be the same by then. At most one
  /// segment; another one replaces it.
  virtual void begin_early(std::shared_ptr<JobSource> /*source*/, std::uint32_t /*segment*/) {}

  /// The segment goes on after all. Nothing where there is no such early job.
  virtual void cancel_early(std::uint32_t /*segment*/) {}

  /// Reports whether there can be texts at all: an error where every job would fail, with what to change; nothing as
  /// soon as that is not known to be so. `done` may be called from inside this call.
  virtual void prepare(std::function<void(std::optional<EventError>)> done) { done(std::nullopt); }

  /// Somebody speaks, so there will be a job: what it needs is loaded meanwhile.
  virtual void warm_up() {}

  // As in `Transcriber`.
  virtual void audio_time(Frame /*frame*/) {}
  virtual void preview(TranscriptionJob growing) = 0;
  virtual void end_preview(std::uint32_t segment_index) = 0;
  virtual void abandon() = 0;
};

}  // namespace dictum::transcription
