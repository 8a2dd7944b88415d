#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::http {

/// One field of a form, or a file of it where `file_name` is set.
struct Field {
  std::string name;
  std::string content;
  std::string file_name{};
  std::string content_type{};
};

/// What is asked of a server. GET, or POST of a form where there are fields. Plain value.
struct Request {
  std::string url;                   ///< http or https; certificates are always verified
  std::vector<std::string> headers;  ///< "Name: value"
  std::vector<Field> form;
  std::uint64_t resume_from{};  ///< bytes that are there already; the server may ignore it: look for 206
  int redirects = 0;            ///< at most; from https never to http
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds stall_timeout{};  ///< no byte for so long; 0: only the others count
  std::chrono::milliseconds timeout{};        ///< for the whole; 0: none
};

/// What the server said, without the body.
struct Response {
  long status{};
  std::optional<std::uint64_t> length{};              ///< of the body that follows, as announced
  std::optional<std::uint64_t> range_start{};         ///< of a 206
  std::optional<std::chrono::seconds> retry_after{};  ///< where it was a number
};

/// Why there is no complete response.
class TransferError : public std::runtime_error {
 public:
  enum class Kind {
    unreachable,  ///< no name, no route, no connection, no agreement on TLS: nothing was exchanged
    broken,       ///< the connection ended in the middle, or what came was no HTTP
    timed_out,
    refused,  ///< `on_body` would not take more
    cancelled,
  };
  TransferError(Kind kind, const std::string& reason) : std::runtime_error(reason), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// A piece of the body, and the response that it belongs to; false ends the transfer as refused. Bodies of redirects
/// are passed over.
using OnBody = std::function<bool(const Response& response, std::string_view piece)>;

/// One request from begin to end. Blocks; `cancelled` ends it at once, from any thread. Proxies, and with SSL_CERT_FILE
/// the authorities to trust, are taken from the environment, as curl does. Throws TransferError; a status such as 404
/// is no error.
Response transfer(const Request& request, const OnBody& on_body, std::stop_token cancelled = {});

}  // namespace dictum::http
