#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"

namespace dictum::test {

/// An HTTP server on this machine that answers as a test wants, rightly or wrongly. One connection is served after
/// another, on a thread of its own; ends with the test, also in the middle of a stall.
class LoopbackServer {
 public:
  struct Request {
    std::string head;  ///< the request's line and headers, as they came
    std::string body;

    /// The value of a header, or "".
    std::string header(std::string_view name) const;
  };

  /// One connection, to be answered by raw bytes. It is closed when the handler returns.
  class Connection {
   public:
    void send(std::string_view bytes);

    /// A whole response. `headers` are lines that end in "\r\n".
    void respond(int status, std::string_view body, std::string_view headers = "");

    /// Keeps the connection open and silent until the other end hangs up or the server ends.
    void stall();

   private:
    friend class LoopbackServer;
    Connection(int socket, int stop) : socket_(socket), stop_(stop) {}
    const int socket_;
    const int stop_;
  };

  /// `number` counts the requests from 0.
  using Handler = std::function<void(const Request& request, int number, Connection& connection)>;

  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();

  /// "http://127.0.0.1:PORT"
  std::string address() const;

  /// What was asked so far.
  std::vector<Request> requests() const;

  /// Waits until so many requests have come. False where they did not within 10 s.
  bool wait_for_requests(std::size_t count) const;

 private:
  void serve();

  const Handler handler_;
  UniqueFD listener_;
  UniqueFD stop_;
  int port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace dictum::test
