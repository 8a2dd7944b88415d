#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/log.hpp"

namespace dictum::server {

/// A request in the log: one entry once it has been answered, or its connection is gone.
///
/// Thread: the loop's. Owner: the connection.
class LoggedRequest {
 public:
  /// `client`: its address. Of `target` the log gets what is before its "?".
  LoggedRequest(Log& log, std::string_view client, std::string_view method, std::string_view target);
  ~LoggedRequest();
  LoggedRequest(const LoggedRequest&) = delete;
  LoggedRequest& operator=(const LoggedRequest&) = delete;

  /// Names it, in the log and in its answer.
  const std::string& id() const { return id_; }

  void set_route(std::string_view name, std::string_view session) {
    route_ = name;
    session_ = session;
  }
  void set_status(int status) { status_ = status; }
  void add_bytes(std::size_t bytes) { bytes_ += bytes; }

 private:
  Log& log_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const std::string id_;
  const std::string client_;
  const std::string method_;
  const std::string path_;
  std::string route_;    // empty where there is none
  std::string session_;  // the same
  int status_ = 0;       // of the answer; 0 before it
  std::uint64_t bytes_ = 0;
};

}  // namespace dictum::server
