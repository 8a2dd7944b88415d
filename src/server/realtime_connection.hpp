#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "server/request.hpp"
#include "server/websocket.hpp"

namespace dictum::server {

struct ConnectionServices;

/// Serves a client of OpenAI's Realtime API, whose audio becomes a session, until it ends or is gone.
///
/// Thread: the loop's. Owner: the connection, as of `services` and `request`.
boost::asio::awaitable<void> serve_realtime(std::shared_ptr<WebSocket> websocket, const ConnectionServices* services,
                                            const Request* request);

}  // namespace dictum::server
