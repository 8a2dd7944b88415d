#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/names.hpp"
#include "cluster/nats_connection.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::cluster {

/// A machine that transcribes for others: takes jobs from the queues of a cluster, has them done by a pool of worker
/// processes, stores the results, and only then acknowledges the jobs.
///
/// Threads: `run` blocks the thread that calls it, on which the pool lives; two threads of its own talk to the cluster.
/// Failures: what a job causes ends in its result; what this machine causes gives its jobs back to the others.
class JobServer {
 public:
  struct Settings {
    NATSSettings nats;
    std::vector<std::string> queues;  ///< from which jobs are taken; live jobs of all go first
    transcription::WorkerPoolSettings pool;
    std::chrono::milliseconds ack_wait = kAckWait;  ///< of the queues that it makes
  };

  using Print = std::function<void(const std::string& line)>;

  /// Connects, and makes streams and queues where they are missing. Throws ClusterError.
  JobServer(Settings settings, Print print);
  ~JobServer();

  /// Serves until SIGINT or SIGTERM, then gives back what it has not done; a second signal ends the process. Returns
  /// false where the engine can never work, or the servers refuse the credentials, with the reason printed.
  bool run();

 private:
  class State;
  const std::shared_ptr<State> state_;  // the pool shares it
};

}  // namespace dictum::cluster
