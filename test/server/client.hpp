#pragma once

#include <chrono>
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
