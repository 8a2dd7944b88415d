#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "transcription/job_source.hpp"
#include "transcription/worker_failure.hpp"

namespace dictum::transcription {

/// Jobs of a lower priority wait until there are none of a higher one.
enum class Priority { live, background };

/// A segment without an outcome, and what happened to it. Small: a backlog has thousands.
struct QueuedJob {
  std::shared_ptr<JobSource> source;
  std::uint32_t segment{};
  Priority priority{};
  std::uint64_t order{};  ///< in the queue; no two jobs have the same

  int attempts = 0;  ///< that count, the current one included
  int deaths = 0;    ///< of workers that ran it, whether the attempt counts or not
  // Of the whole pool, when the first of those workers died:
  std::uint64_t pool_deaths_before = 0;
  std::uint64_t pool_answers_before = 0;
  std::chrono::steady_clock::time_point first_death{};

  /// After a failure only a worker without a history may try.
  bool needs_fresh_worker() const { return attempts > 0 || deaths > 0; }
};

/// Segments that wait for a worker, and the rules of what follows a failed attempt. Without I/O; a plain value; lives
/// with its owner.
class JobQueue {
 public:
  struct Rules {
    int attempts{};                               ///< in all
    std::chrono::milliseconds outage_patience{};  ///< with workers that are killed from outside
  };

  explicit JobQueue(Rules rules) : rules_(rules) {}

  void push(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority);

  /// A job that a worker has begun before it was asked for: as if it had been pushed and popped.
  QueuedJob begun(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority);

  /// What an idle worker can take.
  struct Offer {
    bool fresh{};       ///< jobs that have failed before, too
    bool background{};  ///< jobs of that priority, too
  };

  /// The next job for that worker, its attempt counted.
  std::optional<QueuedJob> pop(Offer offer);
  bool has_job_for(Offer offer) const;

  /// A job was answered.
  void note_answer() { ++answers_; }

  /// A worker died that had no job.
  void note_death() { ++deaths_; }

  /// The attempt of `job` failed. Takes it back into the queue, or returns why it has failed for good.
  ///
  /// A failure that the job did not cause does not count as an attempt. A worker that is killed from outside counts
  /// only where the job was its first and, since a worker first died with this job, other jobs were answered and no
  /// worker died but with this job. For example: 2 workers die with this job, while 5 other jobs are answered and the
  /// pool counts 2 deaths: the job causes them, and the second one counts. Had the pool counted 3 deaths, the machine
  /// may be out of memory, and neither counts.
  std::optional<WorkerFailure> take_back(QueuedJob job, WorkerFailure failure, bool fresh,
                                         std::chrono::steady_clock::time_point now);

  /// Whose jobs wait.
  std::set<std::shared_ptr<JobSource>> sources() const;

  std::size_t size() const { return jobs_.size(); }
  bool empty() const { return jobs_.empty(); }
  void clear() { jobs_.clear(); }

 private:
  using Jobs = std::map<std::pair<Priority, std::uint64_t>, QueuedJob>;

  Jobs::const_iterator find(Offer offer) const;
  void insert(QueuedJob job);
  QueuedJob next_job(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority);

  Rules rules_;
  Jobs jobs_;
  std::uint64_t orders_ = 0;
  std::uint64_t answers_ = 0;  // of the whole pool
  std::uint64_t deaths_ = 0;   // of the whole pool's workers
};

}  // namespace dictum::transcription
