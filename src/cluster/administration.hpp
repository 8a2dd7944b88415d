#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/jet_stream.hpp"

/// What a person asks of a cluster. Blocking calls, which throw ClusterError; the texts are plain functions.
namespace dictum::cluster {

/// The streams with what they hold, the queues with what waits in them, and the machines that answer within half a
/// second.
boost::json::object cluster_status(JetStream& stream);

/// The same for a person, a line each.
std::string status_text(const boost::json::object& status);

/// A job that failed for good.
struct DeadJob {
  std::uint64_t sequence{};  ///< its number in its stream, by which it is named
  std::string id;
  std::string code;
  std::string reason;
  std::string worker;
};

std::vector<DeadJob> dead_jobs(JetStream& stream);

/// Publishes the job anew, as one that its recorder no longer waits for: its text is stored for the next time that it
/// is asked for.
void retry_dead_job(JetStream& stream, std::uint64_t sequence);
void drop_dead_job(JetStream& stream, std::uint64_t sequence);

}  // namespace dictum::cluster
