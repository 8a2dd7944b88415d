#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/transcriber.hpp"
#include "transcription/agreement.hpp"
#include "transcription/job_source.hpp"
#include "transcription/posted_calls.hpp"
#include "transcription/worker_failure.hpp"
#include "transcription/worker_slot.hpp"

namespace dictum::transcription {

/// What a pool reports beside the outcomes; from its strand, never from inside a call.
struct WorkerPoolEvents {
  std::function<void(WorkerStatus status)> on_status;
  /// Text so far of a segment of `session` (`TranscriptionJob::session`): a pool works for several sessions, which
  /// number their segments alike.
  std::function<void(std::string session, std::uint32_t segment_index, std::string text, std::size_t stable_chars)>
      on_partial;
};

/// What a pool reports to its owner and to its sessions: always later, so that nothing is called from inside a call of
/// its receiver.
///
/// Threads: lives on the pool's strand. Owner: the pool, as of `posted`, which outlives this; once that is closed,
/// nothing is reported any more.
class PoolReports {
 public:
  using Prepared = std::function<void(std::optional<EventError>)>;

  PoolReports(PostedCalls& posted, WorkerPoolEvents events) : posted_(posted), events_(std::move(events)) {}

  void status(const std::string& worker, WorkerSlot::Report report);
  void partial(const TranscriptionJob& job, Agreement::Version version);
  void outcome(std::shared_ptr<JobSource> source, std::uint32_t segment, TranscriptionOutcome outcome);
  void failure(std::shared_ptr<JobSource> source, std::uint32_t segment, const WorkerFailure& failure);
  void no_worker(std::shared_ptr<JobSource> source, const WorkerFailure& failure);

  /// Those wait for an answer to whether there can be texts at all.
  void await_prepared(Prepared done) { prepared_.push_back(std::move(done)); }
  bool is_awaited() const { return !prepared_.empty(); }
  void cancel_prepared() { prepared_.clear(); }

  /// The answer; an error where there cannot.
  void prepared(const std::optional<EventError>& error);

 private:
  PostedCalls& posted_;
  const WorkerPoolEvents events_;
  std::vector<Prepared> prepared_;
};

}  // namespace dictum::transcription
