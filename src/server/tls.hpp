#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "server/socket.hpp"

/// TLS 1.2 and newer. An encrypted connection is carried by a relay, which gives out one end of a pair of sockets: what
/// is read and written there is plain, so that nothing else has to know of TLS. Asio's and OpenSSL's headers are
/// included by this module's one file.
///
/// Thread: the executor's that the socket runs on; contexts are immutable.
namespace dictum::server {

struct TLSContext;

/// Of a server, with its certificate (and those that lead to its authority) and its key, in PEM. Throws
/// RecorderError: input_not_found; config_invalid for files that are none, a key that is another certificate's, or one
/// that needs a password.
std::shared_ptr<TLSContext> make_tls_server(const std::filesystem::path& certificate, const std::filesystem::path& key);

/// Of a client that trusts the authorities in `authorities`, in PEM; where that is empty, those that the system trusts.
/// Throws as the other.
std::shared_ptr<TLSContext> make_tls_client(const std::filesystem::path& authorities);

/// Why there is no encrypted connection.
struct TLSFailure {
  std::string sentence;       ///< without a full stop
  bool is_untrusted = false;  ///< the server's certificate is none that is trusted
};

/// How long the other end may take.
struct TLSPatience {
  std::chrono::milliseconds agree;  ///< to agree on encryption
  std::chrono::milliseconds send;   ///< to take what is sent, up to 16 KiB; then the connection is closed
};

/// Agrees with a client on encryption. `ended` is called once the connection has ended, or has
/// failed to begin.
boost::asio::awaitable<std::variant<Socket, TLSFailure>> accept_tls(boost::asio::ip::tcp::socket socket,
                                                                    std::shared_ptr<TLSContext> context,
                                                                    TLSPatience patience, std::function<void()> ended);

/// Agrees with the server `host`, whose certificate has to be its own.
boost::asio::awaitable<std::variant<Socket, TLSFailure>> connect_tls(boost::asio::ip::tcp::socket socket,
                                                                     std::shared_ptr<TLSContext> context,
                                                                     std::string host, TLSPatience patience);

}  // namespace dictum::server
