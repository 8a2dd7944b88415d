#include "client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <stdexcept>

namespace dictum::test {
namespace {

constexpr int kPatienceMs = 30'000;

[[noreturn]] void fail(const std::string& why) {
  throw std::runtime_error("the test's client: " + why);
}

}  // namespace

Client::Client(const std::string& url, int receive_buffer) : host_(url.substr(url.find("//") + 2)) {
  const std::size_t colon = host_.find(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(host_.substr(colon + 1))));
  ::inet_pton(AF_INET, host_.substr(0, colon).c_str(), &address.sin_addr);
  socket_ = UniqueFD(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot connect to " + host_);
  }
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{socket_.get(), POLLOUT, 0};
    if (::poll(&ready, 1, kPatienceMs) <= 0) fail("the server does not read");
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Client::request(std::string_view method, std::string_view target, std::string_view headers) {
  send(fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", method, target, host_, headers));
}

void Client::post(std::string_view target, std::string_view json, std::string_view headers) {
  send(fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}",
                   target, host_, json.size(), headers, json));
}

bool Client::receive() {
  pollfd ready{socket_.get(), POLLIN, 0};
  if (::poll(&ready, 1, kPatienceMs) <= 0) fail("the server does not answer; so far: " + buffer_);
  char bytes[4096];
  const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
  if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
  return got > 0;
}

Client::Response Client::head() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) fail("the connection ended before a response; so far: " + buffer_);
  }
  std::string text = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  Response response;
  response.status = std::stoi(text.substr(text.find(' ') + 1));
  for (std::size_t at = text.find("\r\n") + 2; at < text.size();) {
    const std::size_t line_end = text.find("\r\n", at);
    const std::size_t colon = text.find(": ", at);
    std::string name = text.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response.headers[name] = text.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  return response;
}

Client::Response Client::response(bool has_body) {
  Response response = head();
  const std::size_t size = has_body ? std::stoul(response.headers["content-length"]) : 0;
  while (buffer_.size() < size) {
    if (!receive()) fail("the connection ended inside of a response");
  }
  response.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return response;
}

std::optional<Client::Event> Client::event() {
  for (;;) {
    std::size_t end = 0;
    while ((end = buffer_.find("\n\n")) == std::string::npos) {
      if (!receive()) return std::nullopt;
    }
    const std::string block = buffer_.substr(0, end + 1);
    buffer_.erase(0, end + 2);
    Event event;
    for (std::size_t at = 0; at < block.size(); at = block.find('\n', at) + 1) {
      const std::string line = block.substr(at, block.find('\n', at) - at);
      if (line.starts_with("id: ")) event.id = line.substr(4);
      if (line.starts_with("data: ")) event.data = line.substr(6);
    }
    if (!event.data.empty()) return event;
  }
}

Client::Response Client::upgrade(std::string_view target, std::string_view headers) {
  request("GET", target,
          fmt::format("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}",
                      headers));
  Response response = head();
  if (response.status == 101) return response;
  const std::size_t size = std::stoul(response.headers["content-length"]);
  while (buffer_.size() < size && receive()) {
  }
  response.body = std::exchange(buffer_, {});
  return response;
}

bool Client::send_frame(Opcode opcode, std::string_view payload, bool is_last, bool is_masked) {
  std::string bytes;
  const auto add = [&](std::uint64_t value) { bytes += static_cast<char>(value & 0xFF); };
  add((is_last ? 0x80U : 0U) | static_cast<unsigned>(opcode));
  const std::uint64_t size = payload.size();
  const unsigned mask_bit = is_masked ? 0x80U : 0U;
  if (size < 126) {
    add(mask_bit | size);
  } else if (size < 65536) {
    add(mask_bit | 126U);
    for (int shift = 8; shift >= 0; shift -= 8) add(size >> shift);
  } else {
    add(mask_bit | 127U);
    for (int shift = 56; shift >= 0; shift -= 8) add(size >> shift);
  }
  static constexpr std::string_view kMask = "\x12\x34\x56\x78";
  if (is_masked) bytes += kMask;
  const std::size_t begin = bytes.size();
  bytes += payload;
  for (std::size_t i = 0; is_masked && i < payload.size(); ++i) {
    bytes[begin + i] = static_cast<char>(bytes[begin + i] ^ kMask[i % 4]);
  }
  return send(bytes);
}

std::optional<Client::Frame> Client::frame() {
  const auto need = [this](std::size_t size) {
    while (buffer_.size() < size) {
      if (!receive()) return false;
    }
    return true;
  };
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(buffer_[at]); };
  for (;;) {
    if (!need(2)) return std::nullopt;
    const auto opcode = static_cast<Opcode>(byte(0) & 0x0F);
    std::uint64_t size = byte(1) & 0x7F;
    const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (!need(2 + more)) return std::nullopt;
    if (more > 0) size = 0;
    for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(2 + i);
    if (!need(2 + more + size)) return std::nullopt;
    Frame frame{opcode, buffer_.substr(2 + more, size)};
    buffer_.erase(0, 2 + more + size);
    if (opcode != Opcode::ping) return frame;
    send_frame(Opcode::pong, frame.payload);
  }
}

std::optional<std::string> Client::message(Frame* closed) {
  std::optional<Frame> next = frame();
  if (!next || next->opcode == Opcode::close) {
    if (closed != nullptr && next) *closed = *next;
    if (next) send_frame(Opcode::close, next->payload.substr(0, 2));
    ::shutdown(socket_.get(), SHUT_WR);  // nothing is to come any more, so the server need not wait
    return std::nullopt;
  }
  return next->payload;
}

std::uint16_t Client::Frame::close_code() const {
  if (opcode != Opcode::close || payload.size() < 2) return 0;
  return static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                    static_cast<unsigned char>(payload[1]));
}

std::string Client::rest() {
  while (receive()) {
  }
  return std::exchange(buffer_, {});
}

Client::Response get(const std::string& url, std::string_view target, std::string_view headers) {
  Client client(url);
  client.request("GET", target, headers);
  return client.response();
}

Client::Response post(const std::string& url, std::string_view target, std::string_view json,
                      std::string_view headers) {
  Client client(url);
  client.post(target, json, headers);
  return client.response();
}

}  // namespace dictum::test
