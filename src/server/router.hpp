#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "server/access.hpp"
#include "server/route.hpp"

namespace dictum::server {

/// Requests in, answers out; no sockets, and no threads of its own.
///
/// Immutable; any thread. Owner: the server.
class Router {
 public:
  Router(Library library, AccessPolicy access);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  struct Match {
    const Route* route{};
    Call call;
    bool is_websocket = false;  ///< is asked for, and the route has one
  };

  /// Finds what a request asks for and checks all of it: who asks, the path, each parameter, the body's kind. The
  /// problem where something is wrong. Does not block. `request` has to outlive the match.
  std::variant<Response, Match> route(const Request& request) const;

  /// Whether the body of a request is a form with a file, which is too large for memory: `route` goes by the header
  /// then, and the body is read later.
  bool takes_form(const Request& request) const;

  /// Answers; blocks on files where the route says so. Never throws RecorderError: failures are problems.
  Answer answer(const Match& match) const;

  /// Both in one.
  Answer answer(const Request& request) const;

  /// What the recorder is doing, as the answer to a command.
  Response status() const;

  const std::filesystem::path& root() const { return library_.root; }
  const RecorderConfig& config() const { return library_.config; }
  const std::vector<Route>& routes() const { return routes_; }

 private:
  const Library library_;
  const AccessPolicy access_;
  std::vector<Route> routes_;
  std::string openapi_;
};

}  // namespace dictum::server
