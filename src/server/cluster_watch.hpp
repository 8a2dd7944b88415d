#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/event_fd.hpp"
#include "server/cluster_figures.hpp"

namespace dictum::server {

/// Keeps the figures of a cluster up to date while somebody reads them: a program prints them, again and again. The
/// server itself never loads the client of NATS.
///
/// Threads: one of its own, from the first reading on. Methods may be called from any thread. Owner: the server.
/// Failures: where the program fails, takes too long or prints something else, the cluster counts as unreachable.
class ClusterWatch {
 public:
  struct Settings {
    std::vector<std::string> command;                ///< prints the status; empty: there is no cluster
    std::map<std::string, std::string> environment;  ///< of the command, beside that of this process
    std::chrono::milliseconds interval{10'000};      ///< between two runs
    std::chrono::milliseconds time_limit{6'000};     ///< of a run
    std::chrono::milliseconds idle_after{300'000};   ///< without a reading; then nothing runs any more
  };

  explicit ClusterWatch(Settings settings) : settings_(std::move(settings)) {}

  /// Kills the program.
  ~ClusterWatch();
  ClusterWatch(const ClusterWatch&) = delete;
  ClusterWatch& operator=(const ClusterWatch&) = delete;

  /// The newest figures; empty before the first ones and where there is no cluster. Does not block.
  std::optional<ClusterFigures> figures();

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  ClusterFigures read() const;

  const Settings settings_;
  const EventFD ended_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ClusterFigures> newest_;  // by mutex_, as all below
  Clock::time_point wanted_at_{};         // when they were read last
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace dictum::server
