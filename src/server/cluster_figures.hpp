#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::server {

/// What `dictum cluster status --json` prints, as far as a monitoring system needs it. A plain value.
struct ClusterFigures {
  struct Stream {
    std::string name;
    std::int64_t messages{};
    std::int64_t bytes{};
    std::int64_t max_bytes{};
    double oldest_sec{};  ///< age of its oldest message, by this machine's clock; 0 without messages
  };
  struct Queue {
    std::string name;
    std::int64_t waiting{};
    std::int64_t under_way{};
    std::int64_t redelivered{};  ///< of those that are under way
  };
  struct Machine {
    std::string name;
    std::int64_t workers{};
    std::int64_t busy{};
    std::int64_t done{};
    std::int64_t failed{};
  };

  bool is_reachable{};  ///< without it the rest is empty
  std::chrono::steady_clock::time_point read_at{};
  std::vector<Stream> streams{};
  std::vector<Queue> queues{};
  std::vector<Machine> machines{};
};

/// Reads the JSON of `dictum cluster status`. Throws RecorderError(internal) where it is not such.
ClusterFigures parse_cluster_figures(std::string_view json);

}  // namespace dictum::server
