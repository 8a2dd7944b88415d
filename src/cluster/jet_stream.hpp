#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "cluster/envelope.hpp"
#include "cluster/names.hpp"
#include "cluster/nats_connection.hpp"

namespace dictum::cluster {

/// A message in a stream.
struct StoredMessage {
  std::uint64_t sequence{};
  std::string subject;
  std::string data;
};

/// That a stream has stored a message, or had stored it before under the same id.
struct Stored {
  std::uint64_t sequence{};
  bool was_there{};
};

/// Where a delivered job is acknowledged, and what is known of its delivery.
struct Delivery {
  std::string ack_subject;
  std::uint64_t deliveries{};  ///< of this job, this one included
  std::uint64_t sequence{};    ///< in the stream
};

/// The delivery that a message's reply subject describes; nothing where it is none.
std::optional<Delivery> delivery_of(std::string_view reply);

/// JetStream over a connection, by its JSON API. Thread safety: as the connection. Every method blocks for a round trip
/// and throws ClusterError.
class JetStream {
 public:
  explicit JetStream(NATSConnection& connection) : connection_(connection) {}

  /// A call of the API. `subject` begins behind "$JS.API.". Beside the usual time, `bytes` have as long as a slow
  /// network takes for them.
  boost::json::object call(const std::string& subject, const boost::json::object& request = {}, std::size_t bytes = 0);

  /// Makes the streams that are missing, with three replicas where the servers are a cluster; those that exist stay as
  /// they are.
  void prepare_streams();

  /// Throws ClusterError(full) where the streams take no more jobs.
  void check_space();

  /// Makes the consumer of a queue where it is missing. Returns how long it waits for a sign of a worker.
  std::chrono::milliseconds prepare_consumer(Urgency urgency, std::string_view queue,
                                             std::chrono::milliseconds ack_wait);

  /// Stores a message. `id`, where it is not empty, makes it one with others of the same id for two minutes.
  Stored publish(const std::string& subject, std::string_view data, const std::string& id = {});

  /// Stores a message with a body of any size: pieces first.
  Stored publish_packed(const std::string& subject, const Packed& packed, std::string_view id, std::string_view kind,
                        const std::string& message_id = {});

  /// The body of the message about `id`, its pieces gathered. Throws ClusterError(incomplete) where one is missing, and
  /// ClusterError between two pieces where a stop is requested.
  std::string body_of(Envelope envelope, std::string_view id, std::string_view kind, const std::stop_token& stop = {});

  std::optional<StoredMessage> newest(std::string_view stream, const std::string& subject);
  std::optional<StoredMessage> at(std::string_view stream, std::uint64_t sequence);

  /// The first message of these subjects from `sequence` on.
  std::optional<StoredMessage> next(std::string_view stream, std::uint64_t sequence, const std::string& subjects);

  /// Nothing where it is not there any more.
  void erase(std::string_view stream, std::uint64_t sequence);
  void purge(std::string_view stream, const std::string& subject);

  NATSConnection& connection() { return connection_; }

 private:
  boost::json::object make_stream(const std::string& name);
  std::optional<StoredMessage> get(std::string_view stream, const boost::json::object& which);

  NATSConnection& connection_;
};

}  // namespace dictum::cluster
