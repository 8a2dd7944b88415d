#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"

namespace dictum::test {

/// A connection to a server on this machine that sends bytes as a test wants, rightly or wrongly. Every wait has a
/// deadline; one that passes throws std::runtime_error.
class Client {
 public:
  struct Response {
    int status{};
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
  };
  struct Event {  ///< of a stream
    std::string id;
    std::string data;
  };
  enum class Opcode : unsigned char { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
  struct Frame {  ///< of a WebSocket
    Opcode opcode{};
    std::string payload;

    /// The code and the reason of one that closes.
    std::uint16_t close_code() const;
    std::string close_reason() const { return payload.size() > 2 ? payload.substr(2) : ""; }
  };

  /// `receive_buffer`: how much the system takes for a client that does not read; 0 leaves it as it is.
  explicit Client(const std::string& url, int receive_buffer = 0);

  /// False where the server has closed the connection.
  bool send(std::string_view bytes);

  /// A request without a body; `headers` are lines that end in "\r\n". "Host" is added.
  void request(std::string_view method, std::string_view target, std::string_view headers = "");
  void post(std::string_view target, std::string_view json, std::string_view headers = "");

  /// The next response. That to HEAD has no body.
  Response response(bool has_body = true);

  /// The header of a response whose body is a stream.
  Response head();

  /// The next event of a stream; empty where the server has ended it. Heartbeats are passed over.
  std::optional<Event> event();

  /// Asks for a WebSocket; the response says whether it is one.
  Response upgrade(std::string_view target, std::string_view headers = "");

  /// One frame, as a client sends it or not. False as `send`.
  bool send_frame(Opcode opcode, std::string_view payload, bool is_last = true, bool is_masked = true);
  bool send_text(std::string_view text) { return send_frame(Opcode::text, text); }

  /// The next frame; empty where the server has ended the connection. Pings are answered and passed over.
  std::optional<Frame> frame();

  /// The next message of text; empty where the server closes the WebSocket instead, whose frame is in `closed`.
  std::optional<std::string> message(Frame* closed = nullptr);

  /// Reads until the server closes the connection.
  std::string rest();

 private:
  bool receive();

  std::string host_;
  UniqueFD socket_;
  std::string buffer_;
};

/// One request over a connection of its own.
Client::Response get(const std::string& url, std::string_view target, std::string_view headers = "");
Client::Response post(const std::string& url, std::string_view target, std::string_view json = "{}",
                      std::string_view headers = "");

}  // namespace dictum::test
