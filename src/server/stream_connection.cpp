#include "server/stream_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "dictum/error.hpp"
#include "server/connection.hpp"
#include "server/event_pump.hpp"
#include "server/problem.hpp"
#include "server/stream_list.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;

/// The problem as a message, without the line's end.
std::string message_of(const Response& problem) {
  std::string text = std::get<std::string>(problem.body);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// Whether somebody is at fault who is not the server.
CloseCode code_of(const Response& problem) {
  return problem.status < 500 ? CloseCode::policy : CloseCode::internal;
}

class StreamConnection {
 public:
  StreamConnection(std::shared_ptr<WebSocket> websocket, const ConnectionServices& services)
      : websocket_(std::move(websocket)), services_(services) {}

  asio::awaitable<void> run() {
    auto hello = co_await read_hello();
    if (!hello) co_return;
    const std::optional<EventCursor> after = hello->after;
    const auto types = hello->types;
    auto opened = co_await services_.streams.open(std::move(*hello));
    if (auto* const refused = std::get_if<Response>(&opened)) {
      co_await fail(std::move(*refused));
      co_return;
    }
    stream_ = std::get<std::shared_ptr<RemoteStream>>(opened);
    auto cursor = cursor_behind(after);
    if (!cursor) {
      co_await fail(problem(400, "invalid_argument", "\"after\" is not the id of an event of this stream."));
      co_return;
    }
    EventPump pump(co_await asio::this_coro::executor, stream_->feed(),
                   {services_.router.root(), std::move(*cursor), types}, services_.pool, services_.limits.heartbeat);
    stream_->attach(websocket_, [pumping = pump.handle()] { pumping.wake(); });
    try {
      co_await serve(&pump);
    } catch (...) {  // it was cancelled
      services_.streams.disconnected(stream_, websocket_);
      throw;
    }
    services_.streams.disconnected(stream_, websocket_);
  }

 private:
  asio::awaitable<void> serve(EventPump* pump) {
    const StreamWelcome welcome{stream_->session(), stream_->token(), stream_->audio().received()};
    if (!co_await websocket_->write_text(to_text(welcome))) co_return;
    const auto reader = std::make_shared<Reader>(websocket_, stream_, pump->handle());
    asio::co_spawn(co_await asio::this_coro::executor, [reader] { return reader->run(); }, asio::detached);
    const bool is_over = co_await pump->run([this](std::span<const EventLine> events) { return write(events); });
    if (reader->refused) {
      co_await fail(std::move(*reader->refused));
    } else if (is_over) {
      co_await end();
    }
  }

  /// Takes what the client sends, as fast as it is recorded. Ends with the connection, which it may outlive.
  struct Reader : std::enable_shared_from_this<Reader> {
    Reader(std::shared_ptr<WebSocket> of, std::shared_ptr<RemoteStream> to, EventPump::Handle of_pump)
        : websocket(std::move(of)), stream(std::move(to)), pump(std::move(of_pump)) {}

    asio::awaitable<void> run() {
      while (const auto message = co_await websocket->read()) {
        if (refused) continue;  // until it closes
        try {
          take(*message);
        } catch (const RecorderError&) {
          refused = problem_of_current_exception();
          pump.stop();
        }
        co_await stream->wait_for_room();
      }
      pump.stop();
    }

    void take(const WebSocketMessage& message) {
      if (message.is_text) {
        parse_stream_stop(message.bytes);
        stream->finish();
      } else {
        stream->receive(message.bytes);
      }
    }

    const std::shared_ptr<WebSocket> websocket;
    const std::shared_ptr<RemoteStream> stream;
    const EventPump::Handle pump;
    std::optional<Response> refused;
  };

  /// The first message. Empty where the connection has ended, with a problem where there was something else.
  asio::awaitable<std::optional<StreamHello>> read_hello() {
    asio::steady_timer deadline(co_await asio::this_coro::executor, services_.limits.request);
    deadline.async_wait([websocket = websocket_](const boost::system::error_code& cancelled) {
      if (!cancelled) websocket->cancel();
    });
    const auto message = co_await websocket_->read();
    deadline.cancel();
    if (!message) co_return std::nullopt;
    std::optional<Response> refused;
    try {
      if (!message->is_text) throw RecorderError(Errc::invalid_argument, "The first message has to be a hello.");
      co_return parse_stream_hello(message->bytes);
    } catch (const RecorderError&) {
      refused = problem_of_current_exception();
    }
    co_await fail(std::move(*refused));
    co_return std::nullopt;
  }

  asio::awaitable<void> fail(Response problem) {
    const std::string text = message_of(problem);
    if (co_await websocket_->write_text(text)) co_await websocket_->close(code_of(problem), "See the problem.");
  }

  /// Where the events of the client begin. Empty where it names something else than this stream's session.
  std::optional<EventCursor> cursor_behind(const std::optional<EventCursor>& after) const {
    std::uint64_t next = 0;
    if (after) {
      if (after->size() != 1 || (!after->front().session.empty() && after->front().session != stream_->session())) {
        return std::nullopt;
      }
      next = after->front().next;
    }
    // A session that the feed does not have yet is followed from its start once it does.
    if (stream_->feed().sessions().empty()) return EventCursor();
    return EventCursor{{stream_->session(), next}};
  }

  asio::awaitable<bool> write(std::span<const EventLine> events) {
    for (const EventLine& event : events) {
      if (!co_await websocket_->write_text(websocket_event(event))) co_return false;
    }
    if (stream_->acknowledged() > acknowledged_) {
      acknowledged_ = stream_->acknowledged();
      co_return co_await websocket_->write_text(to_text(StreamAcknowledged{acknowledged_}));
    }
    if (!events.empty()) co_return true;
    co_return co_await websocket_->ping();
  }

  /// Every event of the session has been sent.
  asio::awaitable<void> end() {
    acknowledged_ = stream_->acknowledged();
    if (services_.is_stopping()) {
      if (co_await websocket_->write_text(to_text(StreamAcknowledged{acknowledged_}))) {
        co_await websocket_->close(CloseCode::going_away, "The server is stopping.");
      }
      co_return;
    }
    if (!co_await websocket_->write_text(to_text(StreamEnded{stream_->session(), acknowledged_}))) co_return;
    services_.streams.forget(stream_->token());
    co_await websocket_->close(CloseCode::normal, stream_->session());
  }

  const std::shared_ptr<WebSocket> websocket_;
  const ConnectionServices& services_;
  std::shared_ptr<RemoteStream> stream_;
  Frame acknowledged_ = 0;
};

}  // namespace

asio::awaitable<void> serve_stream(std::shared_ptr<WebSocket> websocket, const ConnectionServices* services) {
  StreamConnection connection(std::move(websocket), *services);
  co_await connection.run();
}

}  // namespace dictum::server
