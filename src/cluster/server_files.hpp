#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dictum::cluster {

/// What the configuration of nats-server is made of.
struct ServerPlan {
  int servers = 1;                   ///< 1, or 3 for a cluster that survives the loss of one
  std::vector<std::string> hosts{};  ///< a name or address of each; others reach them by these
  int port = 4222;
  std::filesystem::path store{};     ///< where the servers keep their streams; empty: in `folder`
  std::filesystem::path tls_cert{};  ///< of the servers; empty: no TLS, for loopback and tests
  std::filesystem::path tls_key{};
  std::filesystem::path tls_ca{};  ///< of what the servers accept from each other; empty: the system's authorities
};

/// Writes the configuration of each server into `folder`, and a file with user and password for each role: recorder,
/// worker, admin. Files that are there stay. Returns the files. Throws RecorderError(output_unwritable,
/// invalid_argument).
std::vector<std::filesystem::path> write_server_files(const std::filesystem::path& folder, const ServerPlan& plan);

}  // namespace dictum::cluster
