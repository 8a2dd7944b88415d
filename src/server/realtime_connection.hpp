#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "server/request.hpp"
#include "server/websocket.hpp"

namespace dictum::server {

struct ConnectionServices;

/// Serves a client of OpenAI's Realtime API, whose audio becomes a session, until it ends or is gone.
/// `model` is the one that the address names; it may be empty, and may be wrong.
///
/// Thread: the loop's. Owner: the connection, as of `services` and `request`.
boost::asio::awaitable<void> serve_realtime(std::shared_ptr<WebSocket> websocket, const ConnectionServices* services,
                                            const Request* request, std::string model);

}  // namespace dictum::server
