#pragma once

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>

namespace dictum::server {

/// A connection's socket, whatever carries its bytes: TCP, a Unix-domain socket, or TLS (see `tls.hpp`).
using Socket = boost::asio::generic::stream_protocol::socket;

/// Sends what is written at once. A peer that is gone without a word is noticed by the system: what it does not take
/// within `patience` ends the connection. The system keeps little that it has not sent yet: it lets a writer go on only
/// once a good part of its buffer is free again, and of the megabytes that it keeps otherwise that takes a peer that
/// reads 20 kB a second more than a minute, in which it seems to take nothing.
inline void set_options(boost::asio::ip::tcp::socket& socket, std::chrono::milliseconds patience) {
  boost::system::error_code ignored;
  socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  const auto timeout = static_cast<unsigned>(patience.count());
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
  constexpr int kMaxUnsent = 128 << 10;  // bytes
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kMaxUnsent, sizeof kMaxUnsent);
}

}  // namespace dictum::server
