#include "server/service_manager.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "base/xdg.hpp"
#include "dictum/error.hpp"
#include "server/number.hpp"

namespace dictum::server {
namespace {

constexpr std::uint64_t kMaxPassed = 16;

/// Whether it is a socket that listens, and for which kind of addresses; AF_UNSPEC where it is not.
int family_of_listener(int fd) {
  int is_listening = 0;
  socklen_t size = sizeof is_listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0 || is_listening == 0) return AF_UNSPEC;
  sockaddr_storage address{};
  size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return AF_UNSPEC;
  return address.ss_family;
}

/// Whether a variable names this process, or is not set.
bool is_for_us(const char* name) {
  const std::string pid = environment(name);
  return pid.empty() || pid == fmt::format("{}", ::getpid());
}

}  // namespace

PassedSockets take_passed_sockets(int first) {
  PassedSockets passed;
  const std::string text = environment("LISTEN_FDS");
  const bool is_ours = !environment("LISTEN_PID").empty() && is_for_us("LISTEN_PID");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (text.empty() || !is_ours) return passed;
  const auto count = parse_number(text);
  if (!count || *count > kMaxPassed) {
    throw RecorderError(Errc::config_invalid,
                        fmt::format("$LISTEN_FDS is \"{}\", which is no number of sockets.", text));
  }
  for (int fd = first; fd < first + static_cast<int>(*count); ++fd) {
    UniqueFD taken(fd);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    const int family = family_of_listener(fd);
    UniqueFD* const place = family == AF_INET || family == AF_INET6 ? &passed.tcp
                            : family == AF_UNIX                     ? &passed.control
                                                                    : nullptr;
    if (place == nullptr || *place) {
      throw RecorderError(
          Errc::config_invalid,
          fmt::format("The service manager has passed descriptor {}, which is not used: one ListenStream "
                      "for TCP and one for a Unix-domain socket are.",
                      fd));
    }
    *place = std::move(taken);
  }
  return passed;
}

bool notify_service_manager(std::string_view state) noexcept {
  const char* const path = ::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = path == nullptr ? 0 : std::strlen(path);
  if (size < 2 || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return false;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';  // of the abstract names
  const UniqueFD socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  return ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                  reinterpret_cast<const sockaddr*>(&address), length) == static_cast<ssize_t>(state.size());
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  const auto time = parse_number(environment("WATCHDOG_USEC"));
  constexpr std::uint64_t kMaxMicroseconds = std::uint64_t{3600} * 1'000'000;
  if (!time || *time == 0 || *time > kMaxMicroseconds || !is_for_us("WATCHDOG_PID")) return std::nullopt;
  return std::chrono::microseconds(*time / 2);
}

}  // namespace dictum::server
