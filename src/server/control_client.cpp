#include "server/control_client.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"
#include "server/number.hpp"

namespace dictum::server {
namespace {

constexpr std::size_t kMaxResponse = std::size_t{1} << 20;
constexpr std::size_t kStatusAt = 9;  // behind "HTTP/1.1 "

UniqueFD connect_to(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof address.sun_path) {
    throw RecorderError(Errc::invalid_argument, fmt::format("'{}' is too long for a socket.", name));
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  UniqueFD made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made || ::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    const bool is_absent = error == ENOENT || error == ECONNREFUSED;
    throw RecorderError(is_absent ? Errc::input_not_found : Errc::device_lost,
                        is_absent
                            ? fmt::format("No recorder is controlled at '{}': start one with `dictum serve`.", name)
                            : fmt::format("Cannot connect to '{}': {}.", name, std::generic_category().message(error)));
  }
  return made;
}

}  // namespace

ControlResponse ask_control(const std::filesystem::path& socket, std::string_view method, std::string_view target,
                            std::string_view body) {
  const UniqueFD connection = connect_to(socket);
  const std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      method, target, body.size(), body);
  for (std::string_view rest = request; !rest.empty();) {
    const ssize_t sent = ::send(connection.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) break;  // its answer, if there is one, says why
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() < kMaxResponse) {
    const ssize_t got = ::recv(connection.get(), piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  const std::size_t end = text.find("\r\n\r\n");
  const auto status = text.starts_with("HTTP/1.1 ") && end != std::string::npos
                          ? parse_number(std::string_view(text).substr(kStatusAt, 3))
                          : std::nullopt;
  if (!status) {
    throw RecorderError(Errc::device_lost,
                        fmt::format("What listens at '{}' ended without an answer.", socket.string()));
  }
  return {.status = static_cast<int>(*status), .body = text.substr(end + 4)};
}

}  // namespace dictum::server
