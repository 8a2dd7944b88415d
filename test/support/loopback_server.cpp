#include "support/loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>

namespace dictum::test {
namespace {

/// True once there is something to read; false where the server shall end.
bool wait_readable(int socket, int stop) {
  std::array<pollfd, 2> ends{{{socket, POLLIN, 0}, {stop, POLLIN, 0}}};
  ::poll(ends.data(), ends.size(), -1);
  return ends[1].revents == 0;
}

std::optional<LoopbackServer::Request> read_request(int socket, int stop) {
  LoopbackServer::Request request;
  std::array<char, 65536> buffer;
  std::string all;
  std::size_t head = std::string::npos;
  std::size_t length = 0;
  while (wait_readable(socket, stop)) {
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) return std::nullopt;
    all.append(buffer.data(), static_cast<std::size_t>(got));
    if (head == std::string::npos) {
      head = all.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      request.head = all.substr(0, head + 2);
      length = std::strtoul(request.header("Content-Length").c_str(), nullptr, 10);
      constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
      if (!request.header("Expect").empty()) ::send(socket, kGoOn.data(), kGoOn.size(), MSG_NOSIGNAL);
    }
    if (all.size() >= head + 4 + length) {
      request.body = all.substr(head + 4);
      return request;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string LoopbackServer::Request::header(std::string_view name) const {
  for (std::size_t line = head.find("\r\n"); line != std::string::npos; line = head.find("\r\n", line + 2)) {
    const std::size_t begin = line + 2;
    const std::size_t colon = begin + name.size();
    if (colon < head.size() && head[colon] == ':' &&
        ::strncasecmp(head.c_str() + begin, name.data(), name.size()) == 0) {
      const std::size_t value = head.find_first_not_of(' ', colon + 1);
      return head.substr(value, head.find("\r\n", value) - value);
    }
  }
  return "";
}

void LoopbackServer::Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::array<pollfd, 2> ends{{{socket_, POLLOUT, 0}, {stop_, POLLIN, 0}}};
    ::poll(ends.data(), ends.size(), -1);
    if (ends[1].revents != 0) return;
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;  // the other end has had enough
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void LoopbackServer::Connection::respond(int status, std::string_view body, std::string_view headers) {
  send("HTTP/1.1 " + std::to_string(status) + " -\r\nContent-Length: " + std::to_string(body.size()) +
       "\r\nConnection: close\r\n" + std::string(headers) + "\r\n" + std::string(body));
}

void LoopbackServer::Connection::stall() {
  std::array<char, 256> ignored;
  while (wait_readable(socket_, stop_) && ::recv(socket_, ignored.data(), ignored.size(), 0) > 0) {
  }
}

LoopbackServer::LoopbackServer(Handler handler)
    : handler_(std::move(handler)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* const generic = reinterpret_cast<sockaddr*>(&where);
  if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
      ::getsockname(listener_.get(), generic, &size) != 0) {
    throw std::runtime_error("no loopback server");
  }
  port_ = ntohs(where.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_.get(), &one, sizeof one));
  thread_.join();
}

std::string LoopbackServer::address() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

std::vector<LoopbackServer::Request> LoopbackServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool LoopbackServer::wait_for_requests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return requests_.size() >= count; });
}

void LoopbackServer::serve() {
  while (wait_readable(listener_.get(), stop_.get())) {
    const UniqueFD socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) continue;
    const auto request = read_request(socket.get(), stop_.get());
    if (!request) continue;
    int number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = static_cast<int>(requests_.size());
      requests_.push_back(*request);
      changed_.notify_all();
    }
    Connection connection(socket.get(), stop_.get());
    handler_(*request, number, connection);
  }
}

}  // namespace dictum::test
