#include "server/logged_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <utility>

namespace dictum::server {
namespace {

constexpr std::size_t kMaxMethod = 20;  // bytes
constexpr std::size_t kMaxPath = 200;

/// Tells requests apart, also those of a server that was started anew. It is no secret.
std::string next_id() {
  static const std::uint32_t start = std::random_device()();
  static std::atomic<std::uint64_t> count = 0;
  return fmt::format("{:08x}-{}", start, ++count);
}

LogLevel level_of(int status) {
  if (status >= 500) return LogLevel::error;
  return status == 401 || status == 403 ? LogLevel::warning : LogLevel::info;
}

}  // namespace

LoggedRequest::LoggedRequest(Log& log, std::string_view client, std::string_view method, std::string_view target)
    : log_(log),
      id_(next_id()),
      client_(client),
      method_(method.substr(0, kMaxMethod)),
      path_(target.substr(0, std::min(target.find('?'), kMaxPath))) {}

LoggedRequest::~LoggedRequest() {
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin_;
  boost::json::object fields{{"request", id_}, {"client", client_}, {"method", method_}, {"path", path_}};
  if (!route_.empty()) fields["route"] = route_;
  if (!session_.empty()) fields["session"] = session_;
  if (status_ != 0) fields["status"] = status_;
  fields["bytes"] = bytes_;
  fields["milliseconds"] = static_cast<double>(static_cast<std::int64_t>(time.count() * 10)) / 10;
  log_.add(level_of(status_), "request", std::move(fields));
}

}  // namespace dictum::server
