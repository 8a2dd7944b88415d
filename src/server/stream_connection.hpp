#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "server/websocket.hpp"

namespace dictum::server {

struct ConnectionServices;

/// Serves a client that streams audio, from its hello until it ends or is gone.
///
/// Thread: the loop's. Owner: the connection.
boost::asio::awaitable<void> serve_stream(std::shared_ptr<WebSocket> websocket, const ConnectionServices* services);

}  // namespace dictum::server
