#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "server/places.hpp"
#include "server/request.hpp"
#include "server/response.hpp"
#include "server/socket.hpp"
#include "server/tls.hpp"
#include "server/waiting_places.hpp"

namespace dictum::server {

/// A message of a WebSocket.
struct WebSocketMessage {
  bool is_text{};
  std::string bytes;
  std::optional<Places::Place> place = {};  ///< that a long one takes, for as long as there is the message
};

/// Why a WebSocket is closed (RFC 6455, 7.4.1).
enum class CloseCode : std::uint16_t { normal = 1000, going_away = 1001, policy = 1008, internal = 1011 };

/// One end of a WebSocket connection. A message that is too long, text that is not UTF-8 and frames against the
/// protocol close it, with the code of RFC 6455 that says which it was.
///
/// Thread: the executor's that the socket runs on. One `read` at a time, and beside it one `write` or `ping`. Owner:
/// its connection; it outlives what is awaited of it.
class WebSocket {
 public:
  struct Limits {
    /// Messages that need much memory. They are received one after the other, and the others wait on the network.
    struct Long {
      std::size_t from_bytes{};          ///< more than that is long
      WaitingPlaces* places{};           ///< they outlive the connection; null: no message waits
      std::chrono::milliseconds time{};  ///< to arrive, from its place on
    };

    std::size_t message_bytes{};
    std::chrono::milliseconds write{};  ///< until the other end has taken a message
    std::chrono::milliseconds close{};  ///< for its answer to a close
    Long long_messages = {};
  };

  virtual ~WebSocket() = default;

  /// The next message; empty once the connection has ended, whoever ended it.
  virtual boost::asio::awaitable<std::optional<WebSocketMessage>> read() = 0;

  /// False where the connection has ended, or the message was not taken in time, which ends it.
  virtual boost::asio::awaitable<bool> write_text(std::string_view text) = 0;
  virtual boost::asio::awaitable<bool> write_binary(std::string_view bytes) = 0;
  virtual boost::asio::awaitable<bool> ping() = 0;

  /// Says why, waits for the answer no longer than the limits allow, and ends the connection. `reason` is cut to what
  /// fits a frame. The other end may be sending meanwhile: a `read` goes on until it comes back empty.
  virtual boost::asio::awaitable<void> close(CloseCode code, std::string_view reason) = 0;

  /// Ends it at once, whatever is awaited.
  virtual void cancel() = 0;
};

/// Whether a request wants to become a WebSocket.
bool is_websocket_upgrade(const Request& request);

/// The protocol that is answered to a client which offers protocols, as a browser has to that sends its token as one.
inline constexpr std::string_view kWebSocketProtocol = "dictum";
/// The same by a page that speaks OpenAI's Realtime API.
inline constexpr std::string_view kRealtimeProtocol = "realtime";
/// The same, where it knows only the API's beta.
inline constexpr std::string_view kRealtimeBetaProtocol = "openai-beta.realtime-v1";

/// Whether a client offers a protocol.
bool offers_protocol(const Request& request, std::string_view protocol);

/// The token among the protocols that a client offers ("dictum, dictum.token.TOKEN" or "realtime,
/// openai-insecure-api-key.TOKEN"), the only header that a page can choose; empty where there is none.
std::string token_in_protocols(const Request& request);

/// The problem that answers an upgrade which cannot be agreed to; empty where it can.
std::optional<Response> refusal_of_upgrade(const Request& request);

/// Agrees to an upgrade that was not refused; the request must outlive the answer. Null where the client is gone.
boost::asio::awaitable<std::shared_ptr<WebSocket>> accept_websocket(Socket socket, const Request* request,
                                                                    WebSocket::Limits limits);

/// A server, as a client names it.
struct WebSocketAddress {
  std::string host;
  std::string port;
  std::string target;  ///< path and query
  bool is_encrypted = false;
};

/// Reads "ws://HOST[:PORT][/PATH]" (or wss, http, https). Throws RecorderError(invalid_argument).
WebSocketAddress parse_websocket_url(std::string_view url);

/// Why there is no connection.
struct ConnectFailure {
  std::string sentence;   ///< without a full stop
  bool is_final = false;  ///< the server is there, and refuses: trying again is of no use
};

/// Connects to a server; `token` may be empty, and `tls` null where the address is not encrypted.
boost::asio::awaitable<std::variant<std::shared_ptr<WebSocket>, ConnectFailure>> connect_websocket(
    WebSocketAddress address, std::shared_ptr<TLSContext> tls, std::string token, WebSocket::Limits limits,
    std::chrono::milliseconds patience);

}  // namespace dictum::server
