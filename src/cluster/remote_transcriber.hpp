#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "cluster/nats_connection.hpp"
#include "transcription/worker_main.hpp"

namespace dictum::cluster {

/// The recorder's side of the cluster: has one job at a time done by a worker of another machine, and waits for it.
///
/// Threads: lives on one thread, which it blocks; `transcribe` may be cancelled from any.
/// Errors: RecorderError where the job failed for good; transcription::EngineLost where the cluster does not answer, in
/// which case the job stays with the recorder.
class RemoteTranscriber {
 public:
  struct Settings {
    NATSSettings nats;
    std::string queue;                                 ///< which workers take the jobs
    std::string model;                                 ///< as the user named it; empty: the workers' own
    std::chrono::milliseconds patience{10'000};        ///< with a cluster that does not answer
    std::chrono::milliseconds check_interval{10'000};  ///< after which a job is looked for; doubled each time
  };

  /// Connects, and makes the streams where they are missing. Throws ClusterError.
  explicit RemoteTranscriber(Settings settings);
  ~RemoteTranscriber();

  /// The servers, for people.
  const std::string& servers() const;

  transcription::Result transcribe(const transcription::Job& job, const std::stop_token& cancelled,
                                   transcription::JobSink& sink);

 private:
  class Attempt;

  const Settings settings_;
  const std::unique_ptr<NATSConnection> connection_;
};

}  // namespace dictum::cluster
