#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

namespace dictum::server {

/// A connection's socket, whatever carries its bytes: TCP, a Unix-domain socket, or TLS (see `tls.hpp`).
using Socket = boost::asio::generic::stream_protocol::socket;

}  // namespace dictum::server
