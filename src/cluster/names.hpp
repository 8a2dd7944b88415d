#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Names in the cluster: streams with their bounds, subjects, consumers. docs/cluster.md has the same for
/// people. Plain functions; safe from any thread.
namespace dictum::cluster {

inline constexpr std::string_view kJobs = "DICTUM_JOBS";        ///< one message a job, until a worker acknowledges it
inline constexpr std::string_view kPieces = "DICTUM_PIECES";    ///< what is larger than the payload limit
inline constexpr std::string_view kResults = "DICTUM_RESULTS";  ///< the newest result of each job
inline constexpr std::string_view kDead = "DICTUM_DEAD";        ///< jobs that failed for good, with the reason

inline constexpr std::string_view kDefaultQueue = "default";
inline constexpr std::string_view kPingWorkers = "dictum.workers.ping";  ///< each worker machine answers with its state

/// How long a delivered job may go without a sign of its worker before it is delivered again.
inline constexpr std::chrono::milliseconds kAckWait{30'000};

/// A job that was begun so often without an end is given up: it may end the machines that try it.
inline constexpr int kMaxTries = 5;

enum class Urgency { live, background };

/// The queues that a setting names, separated by commas; where it names none, that of the model, and the default one.
std::vector<std::string> queues_of(std::string_view setting, std::string_view model);

/// The queue of a recorder's jobs: the only one that the setting names, else the first of them. Throws
/// RecorderError(config_invalid).
std::string queue_of_recorder(std::string_view setting, std::string_view model);

/// `text` as one part of a subject: what NATS gives a meaning, and what is not plain ASCII, becomes '_'.
std::string token(std::string_view text);

std::string job_subject(Urgency urgency, std::string_view queue);
std::string result_subject(std::string_view id);
std::string partial_subject(std::string_view id);
std::string dead_subject(std::string_view id);

/// Where it is kept how often the job `id` of that generation was begun without an end: in the stream of the results,
/// which takes it even when it is full, and forgets it after a day.
std::string tries_subject(std::string_view id, std::uint32_t generation);

/// Of piece `number` of the body of the message of kind `kind` ("job", "result") about the job `id`.
std::string piece_subject(std::string_view id, std::string_view kind, std::size_t number);
std::string all_pieces(std::string_view id, std::string_view kind);

/// The durable consumer from which workers take the jobs of a queue.
std::string consumer_name(Urgency urgency, std::string_view queue);

/// The configuration of that consumer, as JetStream takes it.
boost::json::object consumer_config(Urgency urgency, std::string_view queue, std::chrono::milliseconds ack_wait);

/// The configurations of all streams, as JetStream takes them, each bounded in bytes and age. `replicas` is 1, or 3 in
/// a cluster of three servers or more.
std::vector<boost::json::object> stream_configs(int replicas);

}  // namespace dictum::cluster
