#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/cluster_error.hpp"

namespace dictum::cluster {

/// How to reach the servers, and as whom.
struct NATSSettings {
  std::string url;                      ///< servers, separated by commas
  std::filesystem::path credentials{};  ///< NATS credentials, an nkey seed, USER:PASSWORD or a token; empty: none
  std::filesystem::path tls_ca{};
  std::filesystem::path tls_cert{};
  std::filesystem::path tls_key{};

  /// From DICTUM_NATS_URL, _CREDENTIALS, _TLS_CA, _TLS_CERT and _TLS_KEY. Throws RecorderError(config_invalid) where no
  /// server is named: there is no default.
  static NATSSettings from_environment();

  /// The servers without users and passwords, for people.
  std::string servers() const;
};

/// A message that came in.
struct NATSMessage {
  std::string subject;
  std::string reply;   ///< where an answer goes; empty: none is expected
  std::string status;  ///< of the server, in place of data, for example "404"; empty: a message with data
  std::string data;
};

using NATSHeaders = std::map<std::string, std::string>;

/// A connection to NATS, which is made again by itself after an interruption. The only code that knows cnats.
///
/// Thread safety: every method from any thread. Lifetimes: subscriptions end before their connection.
/// Errors: ClusterError. `publish` does not report what the server does with the message.
class NATSConnection {
 public:
  /// Connects. Throws ClusterError(unreachable, refused).
  explicit NATSConnection(NATSSettings settings);
  ~NATSConnection();
  NATSConnection(const NATSConnection&) = delete;
  NATSConnection& operator=(const NATSConnection&) = delete;

  void publish(const std::string& subject, std::string_view data, const std::string& reply = {},
               const NATSHeaders& headers = {});

  /// Sends, and waits for the answer. Throws ClusterError(unreachable) after `timeout`; ClusterError(refused) where the
  /// server reported meanwhile that this user may not; ClusterError(no_jetstream) where the subject has no server.
  NATSMessage request(const std::string& subject, std::string_view data, const NATSHeaders& headers = {},
                      std::chrono::milliseconds timeout = std::chrono::seconds(2));

  class Subscription {
   public:
    virtual ~Subscription() = default;
  };

  /// `on_message` is called on a thread of the subscription's own. Once the subscription is destroyed it is not called
  /// any more; the destructor waits for a call under way, at most two seconds.
  std::unique_ptr<Subscription> subscribe(const std::string& subject, std::function<void(NATSMessage)> on_message);

  /// A subject of this connection's own, to which answers may be sent.
  std::string new_inbox();

  /// Waits until the server has processed what was sent so far, at most two seconds.
  void flush();

  /// How long the connection has been interrupted; zero where it is not.
  std::chrono::milliseconds interrupted_for() const;

  /// How often it was made again: what was sent or delivered before may be lost.
  std::uint64_t reconnects() const;

  /// Whether it was given up for good: the servers refused the credentials again and again.
  bool is_closed() const;

  std::size_t max_payload() const;

  /// The servers without users and passwords, for people.
  const std::string& servers() const;

 private:
  class State;
  const std::unique_ptr<State> state_;
};

}  // namespace dictum::cluster
