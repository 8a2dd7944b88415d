#include "server/websocket.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "server/number.hpp"
#include "server/problem.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::array<std::string_view, 2> kTokenProtocols = {"dictum.token.", "openai-insecure-api-key."};
constexpr std::string_view kDefaultPort = "80";
constexpr std::string_view kDefaultEncryptedPort = "443";
constexpr std::size_t kPiece = std::size_t{64} << 10;  // of a message
constexpr std::size_t kKeySize = 24;                   // 16 bytes in base64
constexpr std::size_t kMaxReason = 123;                // bytes, of a close frame
constexpr std::uint64_t kMaxPort = 65535;

/// The members of a list in a header, without the spaces around them.
template <class Each>
void for_each_member(std::string_view list, const Each& each) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view member = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (member.starts_with(' ') || member.starts_with('\t')) member.remove_prefix(1);
    while (member.ends_with(' ') || member.ends_with('\t')) member.remove_suffix(1);
    if (!member.empty()) each(member);
  }
}

bool has_member(const Request& request, std::string_view header, std::string_view wanted) {
  bool found = false;
  for (const Request::Header& each : request.headers) {
    if (!equal_ignoring_case(each.name, header)) continue;
    for_each_member(each.value, [&](std::string_view member) { found = found || equal_ignoring_case(member, wanted); });
  }
  return found;
}

/// The protocol that is answered; empty where the client offers none of ours.
std::string_view agreed_protocol(const Request& request) {
  for (const std::string_view protocol : {kWebSocketProtocol, kRealtimeProtocol, kRealtimeBetaProtocol}) {
    if (offers_protocol(request, protocol)) return protocol;
  }
  return {};
}

/// The longest start of a text that fits so many bytes, without a piece of a character.
std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && utf8::continues(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

class BeastWebSocket final : public WebSocket, public std::enable_shared_from_this<BeastWebSocket> {
 public:
  BeastWebSocket(Socket socket, Limits limits)
      : stream_(std::move(socket)),
        limits_(limits),
        deadline_(stream_.get_executor()),
        arrival_(stream_.get_executor()) {
    stream_.read_message_max(limits_.message_bytes);
  }

  websocket::stream<Socket>& stream() { return stream_; }

  asio::awaitable<std::optional<WebSocketMessage>> read() override {
    std::string bytes;
    std::optional<Places::Place> place;
    auto buffer = asio::dynamic_buffer(bytes, limits_.message_bytes + kPiece);
    do {
      if (!place && limits_.long_messages.places != nullptr && bytes.size() > limits_.long_messages.from_bytes) {
        place.emplace(co_await limits_.long_messages.places->take());
        bytes.reserve(limits_.message_bytes);
        end_after(arrival_, limits_.long_messages.time);
      }
      auto [error, size] = co_await stream_.async_read_some(buffer, kPiece, kAwait);
      if (error) co_return std::nullopt;
    } while (!stream_.is_message_done());
    arrival_.cancel();
    co_return WebSocketMessage{stream_.got_text(), std::move(bytes), std::move(place)};
  }

  asio::awaitable<bool> write_text(std::string_view text) override {
    stream_.text(true);
    co_return co_await write(text);
  }

  asio::awaitable<bool> write_binary(std::string_view bytes) override {
    stream_.binary(true);
    co_return co_await write(bytes);
  }

  asio::awaitable<bool> ping() override {
    limit(limits_.write);
    auto [error] = co_await stream_.async_ping({}, kAwait);
    deadline_.cancel();
    co_return !error;
  }

  asio::awaitable<void> close(CloseCode code, std::string_view reason) override {
    limit(limits_.close);
    const std::string_view fitting = cut(reason, kMaxReason);
    const websocket::close_reason why(static_cast<websocket::close_code>(code),
                                      beast::string_view(fitting.data(), fitting.size()));
    co_await stream_.async_close(why, kAwait);
    deadline_.cancel();
    cancel();
  }

  void cancel() override {
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

  /// Ends the connection unless `deadline_` is cancelled before.
  void limit(std::chrono::milliseconds time) { end_after(deadline_, time); }

  void unlimit() { deadline_.cancel(); }

 private:
  void end_after(asio::steady_timer& timer, std::chrono::milliseconds time) {
    timer.expires_after(time);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
      const auto self = weak.lock();
      if (!cancelled && self) self->cancel();
    });
  }

  asio::awaitable<bool> write(std::string_view bytes) {
    limit(limits_.write);
    auto [error, size] = co_await stream_.async_write(asio::buffer(bytes.data(), bytes.size()), kAwait);
    deadline_.cancel();
    co_return !error;
  }

  websocket::stream<Socket> stream_;
  const Limits limits_;
  asio::steady_timer deadline_;  // of what is written
  asio::steady_timer arrival_;   // of a long message
};

}  // namespace

bool offers_protocol(const Request& request, std::string_view protocol) {
  return has_member(request, "Sec-WebSocket-Protocol", protocol);
}

bool is_websocket_upgrade(const Request& request) {
  return request.method == "GET" && has_member(request, "Connection", "upgrade") &&
         has_member(request, "Upgrade", "websocket");
}

std::string token_in_protocols(const Request& request) {
  std::string token;
  const std::string* const offered = request.header("Sec-WebSocket-Protocol");
  if (offered == nullptr || !is_websocket_upgrade(request)) return token;
  for_each_member(*offered, [&](std::string_view protocol) {
    for (const std::string_view begin : kTokenProtocols) {
      if (protocol.starts_with(begin)) token = protocol.substr(begin.size());
    }
  });
  return token;
}

std::optional<Response> refusal_of_upgrade(const Request& request) {
  const std::string* const version = request.header("Sec-WebSocket-Version");
  if (version == nullptr || *version != "13") {
    return problem(426, "upgrade_required", "Only version 13 of WebSocket is spoken here (RFC 6455): send it.")
        .with("Upgrade", "websocket")
        .with("Sec-WebSocket-Version", "13");
  }
  const std::string* const key = request.header("Sec-WebSocket-Key");
  const bool is_key =
      key != nullptr && key->size() == kKeySize && key->ends_with("==") && request.count("Sec-WebSocket-Key") == 1;
  if (!is_key) {
    return problem(400, "invalid_request",
                   "The header \"Sec-WebSocket-Key\" has to be 16 random bytes in base64: send it once.");
  }
  const std::string* const offered = request.header("Sec-WebSocket-Protocol");
  if (offered != nullptr && agreed_protocol(request).empty()) {
    return problem(400, "invalid_request",
                   fmt::format("None of the protocols that the client offers is spoken here: offer \"{}\", or none.",
                               kWebSocketProtocol));
  }
  return std::nullopt;
}

asio::awaitable<std::shared_ptr<WebSocket>> accept_websocket(Socket socket, const Request* request,
                                                             WebSocket::Limits limits) {
  const auto made = std::make_shared<BeastWebSocket>(std::move(socket), limits);
  http::request<http::empty_body> upgrade{http::verb::get, request->target, 11};
  for (const Request::Header& header : request->headers) upgrade.insert(header.name, header.value);
  const std::string_view protocol = agreed_protocol(*request);
  made->stream().set_option(websocket::stream_base::decorator([protocol](websocket::response_type& response) {
    if (!protocol.empty()) response.set(http::field::sec_websocket_protocol, std::string(protocol));
  }));
  made->limit(limits.write);
  auto [error] = co_await made->stream().async_accept(upgrade, kAwait);
  made->unlimit();
  co_return error ? nullptr : made;
}

WebSocketAddress parse_websocket_url(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    throw RecorderError(Errc::invalid_argument, fmt::format("\"{}\" {}", excerpt(url), why));
  };
  const std::size_t colon = url.find("://");
  const std::string_view scheme = url.substr(0, std::min(colon, url.size()));
  const bool is_encrypted = equal_ignoring_case(scheme, "wss") || equal_ignoring_case(scheme, "https");
  const bool is_plain = equal_ignoring_case(scheme, "ws") || equal_ignoring_case(scheme, "http");
  if (colon == std::string_view::npos || (!is_encrypted && !is_plain)) {
    refuse("is no address of a server: give one like ws://192.0.2.7:8080.");
  }
  std::string_view rest = url.substr(colon + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  WebSocketAddress address{.host = {},
                           .port = std::string(is_encrypted ? kDefaultEncryptedPort : kDefaultPort),
                           .target = std::string(rest.substr(slash)),
                           .is_encrypted = is_encrypted};
  const bool is_v6 = authority.starts_with('[');
  const std::size_t host_end = is_v6 ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) refuse("has no end of its address in brackets.");
  address.host = authority.substr(is_v6 ? 1 : 0, is_v6 ? host_end - 1 : host_end);
  std::string_view port = authority.substr(std::min(host_end + (is_v6 ? 1 : 0), authority.size()));
  if (port.starts_with(':')) {
    port.remove_prefix(1);
    const auto number = parse_number(port);
    if (!number || *number == 0 || *number > kMaxPort) refuse("has no valid port.");
    address.port = port;
  } else if (!port.empty()) {
    refuse("is no address of a server: give one like ws://192.0.2.7:8080.");
  }
  const auto is_unsafe = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '@'; };
  if (address.host.empty() || std::ranges::any_of(rest, is_unsafe)) {
    refuse("is no address of a server: give one like ws://192.0.2.7:8080.");
  }
  return address;
}

asio::awaitable<std::variant<std::shared_ptr<WebSocket>, ConnectFailure>> connect_websocket(
    WebSocketAddress address, std::shared_ptr<TLSContext> tls, std::string token, WebSocket::Limits limits,
    std::chrono::milliseconds patience) {
  using Result = std::variant<std::shared_ptr<WebSocket>, ConnectFailure>;
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  auto [unresolved, endpoints] = co_await resolver.async_resolve(address.host, address.port, kAwait);
  if (unresolved)
    co_return Result(ConnectFailure{fmt::format("{} is not known: {}", address.host, unresolved.message())});
  const auto connecting = std::make_shared<tcp::socket>(executor);
  asio::steady_timer deadline(executor, patience);
  deadline.async_wait([weak = std::weak_ptr(connecting)](const boost::system::error_code& cancelled) {
    const auto socket = weak.lock();
    boost::system::error_code ignored;
    if (!cancelled && socket) socket->close(ignored);
  });
  auto [unreachable, endpoint] = co_await asio::async_connect(*connecting, endpoints, kAwait);
  deadline.cancel();
  if (unreachable) {
    co_return Result(
        ConnectFailure{fmt::format("{}:{} cannot be reached: {}", address.host, address.port, unreachable.message())});
  }
  set_options(*connecting, limits.write);
  std::optional<Socket> socket;
  if (address.is_encrypted) {
    auto agreed = co_await connect_tls(std::move(*connecting), std::move(tls), address.host,
                                       {.agree = patience, .send = limits.write});
    if (auto* const failed = std::get_if<TLSFailure>(&agreed)) {
      co_return Result(ConnectFailure{
          fmt::format("{}:{} cannot be trusted with audio, {}", address.host, address.port, failed->sentence),
          failed->is_untrusted});
    }
    socket.emplace(std::move(std::get<Socket>(agreed)));
  } else {
    socket.emplace(std::move(*connecting));
  }
  const auto made = std::make_shared<BeastWebSocket>(std::move(*socket), limits);
  made->limit(patience);
  made->stream().set_option(websocket::stream_base::decorator([&token](websocket::request_type& request) {
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  }));
  const bool is_v6 = address.host.find(':') != std::string::npos;
  const std::string host = fmt::format("{}{}{}:{}", is_v6 ? "[" : "", address.host, is_v6 ? "]" : "", address.port);
  websocket::response_type response;
  auto [refused] = co_await made->stream().async_handshake(response, host, address.target, kAwait);
  made->unlimit();
  if (!refused) co_return Result(std::shared_ptr<WebSocket>(made));
  if (refused != websocket::error::upgrade_declined) {
    co_return Result(
        ConnectFailure{fmt::format("{} does not answer as a server of streams: {}", host, refused.message())});
  }
  const bool is_final = response.result_int() < 500;
  std::string why = utf8::on_one_line(response.body());
  boost::system::error_code error;
  if (const boost::json::value body = json::parse(response.body(), error); !error && body.is_object()) {
    const auto* const detail = body.as_object().if_contains("detail");
    if (detail != nullptr && detail->is_string()) why = utf8::on_one_line(std::string_view(detail->as_string()));
  }
  while (why.ends_with('.') || why.ends_with(' ')) why.pop_back();
  co_return Result(
      ConnectFailure{fmt::format("{} refuses the stream ({}): {}", host, response.result_int(), why), is_final});
}

}  // namespace dictum::server
