#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/timer.hpp"
#include "dictum/clock.hpp"
#include "transcription/job_runner.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::transcription {

/// Gives jobs to a cluster, and also to a local pool once the cluster has not answered for some time.
///
/// The cluster's pool keeps every job. While the cluster is away the local pool has those that wait, too; the first
/// text of a segment is its outcome, and what comes later for it is dropped. When the cluster is back the local pool
/// ends what it has begun, and takes no more. A job that fails in the local pool stays with the cluster.
///
/// Threads: as every JobRunner: lives on `strand`. Owner: the recorder.
/// Failures: never throws; where neither runner can work, the source is notified (`has_no_worker`).
class FallbackRunner final : public JobRunner {
 public:
  using OnStatus = std::function<void(const WorkerStatus&)>;

  struct Parts {
    boost::asio::any_io_executor strand;
    std::function<std::unique_ptr<JobRunner>(OnStatus)> make_cluster;  ///< reports its workers to the function
    std::function<std::unique_ptr<JobRunner>()> make_local;            ///< at its first use
    std::chrono::milliseconds after{};                                 ///< with a cluster that does not answer
    std::string local_name;                                            ///< of its transcriber, for people
  };

  FallbackRunner(Parts parts, const Timers& timers);
  ~FallbackRunner() override;

  void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) override;
  void begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) override;
  void cancel_early(std::uint32_t segment) override;
  void prepare(std::function<void(std::optional<EventError>)> done) override;
  void warm_up() override;
  void preview(TranscriptionJob growing) override;
  void end_preview(std::uint32_t segment_index) override;
  void abandon() override;

 private:
  class State;
  const std::unique_ptr<State> state_;
};

/// The pool that `settings` describe: with a local one beside it where they name a fall-back.
std::unique_ptr<JobRunner> make_pool(const boost::asio::any_io_executor& strand, const WorkerPoolSettings& settings,
                                     const std::shared_ptr<const Clock>& clock, const WorkerPoolEvents& events);

}  // namespace dictum::transcription
