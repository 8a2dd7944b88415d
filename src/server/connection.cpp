#include "server/connection.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "dictum/error.hpp"
#include "server/event_pump.hpp"
#include "server/logged_request.hpp"
#include "server/on_pool.hpp"
#include "server/problem.hpp"
#include "server/realtime_connection.hpp"
#include "server/route_parts.hpp"
#include "server/stream_connection.hpp"
#include "server/websocket.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Message = http::response<http::string_body>;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kFilePiece = std::size_t{64} << 10;
constexpr std::size_t kMaxLinger = std::size_t{4} << 20;
constexpr std::uint64_t kDiskCheck = std::uint64_t{8} << 20;  // bytes of an upload
constexpr int kSwitchingProtocols = 101;
constexpr auto kLingerTime = std::chrono::seconds(1);

/// Up to `size` bytes of a file; fewer where it ends, or cannot be read.
std::string read_piece(int file, std::uint64_t offset, std::size_t size) {
  std::string piece(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t read = ::pread(file, piece.data() + got, size - got, static_cast<off_t>(offset + got));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) break;
    got += static_cast<std::size_t>(read);
  }
  piece.resize(got);
  return piece;
}

/// The header of a response; its body is empty.
Message message_of(const Response& response, bool keep_alive) {
  Message message;
  message.result(static_cast<unsigned>(response.status));
  message.reason(reason(response.status));
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  // Whatever a response holds, no browser runs it, frames it or gives it to another site.
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  message.set("Cross-Origin-Resource-Policy", "same-origin");
  for (const auto& header : response.headers) message.set(header.name, header.value);
  message.keep_alive(keep_alive);
  return message;
}

/// The answer to what is no request; empty where there is nobody to answer.
std::optional<Response> problem_of(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return problem(431, "header_too_large", "The header of the request is too large: send fewer or shorter fields.");
  }
  if (error == http::error::body_limit) {
    return problem(413, "body_too_large", "The body of the request is too large: send less.");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() != http::make_error_code(http::error::end_of_stream).category()) return std::nullopt;
  return problem(400, "invalid_request", "This is no HTTP/1.1 request: " + error.message() + ".");
}

class HTTPConnection final : public Connection, public std::enable_shared_from_this<HTTPConnection> {
 public:
  HTTPConnection(Socket socket, Peer peer, const ConnectionServices& services)
      : stream_(std::move(socket)), peer_(std::move(peer)), services_(services), limits_(services.limits) {}

  static void start(const std::shared_ptr<HTTPConnection>& self, std::function<void(Connection*)> ended) {
    asio::co_spawn(self->stream_.get_executor(), self->run(),
                   asio::bind_cancellation_slot(self->cancellation_.slot(),
                                                [self, ended = std::move(ended)](const std::exception_ptr&) {
                                                  // What was thrown is that it was cancelled, or has no memory left.
                                                  self->stream_.close();
                                                  ended(self.get());
                                                }));
  }

  bool is_idle() const override { return is_idle_; }

  void cancel() override {
    cancellation_.emit(asio::cancellation_type::terminal);
    if (websocket_) websocket_->cancel();
    stream_.close();
  }

 private:
  asio::awaitable<void> run() {
    for (bool goes_on = true; goes_on;) {
      is_idle_ = true;
      const auto error = co_await read();
      is_idle_ = false;
      is_openai_ = is_openai_target(std::string_view(parser_->get().target()));
      if (error) {
        auto refused = problem_of(error);
        if (!refused) co_return;
        begin_log();
        co_await write(std::move(*refused), false, false);
        break;
      }
      begin_log();
      auto& message = parser_->get();
      goes_on = message.keep_alive() && !services_.is_stopping() && !is_form_;
      Request request = request_of(message);
      request.body = std::move(message.body());
      if (!co_await respond(std::move(request), goes_on)) co_return;
      logged_.reset();
    }
    logged_.reset();
    co_await linger();
  }

  /// The request that was read begins to be answered.
  void begin_log() {
    if (!services_.log.is_on()) return;
    const auto& message = parser_->get();
    logged_.emplace(services_.log, peer_.address, std::string_view(message.method_string()),
                    std::string_view(message.target()));
  }

  /// What the header of a message says.
  Request request_of(const http::request<http::string_body>& message) const {
    Request request{.method = std::string(message.method_string()),
                    .target = std::string(message.target()),
                    .headers = {},
                    .body = {},
                    .is_trusted = peer_.is_trusted};
    for (const auto& field : message) {
      request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    return request;
  }

  /// Reads the next request into `parser_`. Only its header where the body is a form with a file.
  asio::awaitable<boost::system::error_code> read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser_->body_limit(boost::none);  // until it is known what the request is for
    stream_.expires_after(limits_.request);
    auto [error, size] = co_await http::async_read_header(stream_, buffer_, *parser_, kAwait);
    if (error) co_return error;
    const auto& message = parser_->get();
    if (message.count(http::field::transfer_encoding) > 0 && message.count(http::field::content_length) > 0) {
      co_return http::make_error_code(http::error::bad_transfer_encoding);  // a request inside of another, perhaps
    }
    is_form_ = services_.router.takes_form(request_of(message));
    if (is_form_) co_return boost::system::error_code();
    if (parser_->content_length().value_or(0) > limits_.body_bytes) {
      co_return http::make_error_code(http::error::body_limit);
    }
    parser_->body_limit(limits_.body_bytes);
    if (auto failed = co_await agree_to_body()) co_return failed;
    auto [incomplete, more] = co_await http::async_read(stream_, buffer_, *parser_, kAwait);
    co_return incomplete;
  }

  /// Answers a client that asks whether it may send the body.
  asio::awaitable<boost::system::error_code> agree_to_body() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) co_return boost::system::error_code();
    auto [failed, sent] = co_await asio::async_write(stream_, asio::buffer(kContinue), kAwait);
    co_return failed;
  }

  /// Answers one request. False where the connection is of no further use.
  asio::awaitable<bool> respond(Request request, bool keep_alive) {
    const bool is_head = request.method == "HEAD";
    auto routed = services_.router.route(request);
    if (auto* const refused = std::get_if<Response>(&routed)) {
      co_return co_await write(std::move(*refused), is_head, keep_alive);
    }
    const auto& match = std::get<Router::Match>(routed);
    if (logged_) logged_->set_route(match.route->name, match.call.text("session"));
    Answer answer;
    const bool is_long = match.route->runs == Route::Runs::where_it_may_take_long;
    // Until all is sent: what is made for an answer takes space on the disk.
    const auto place = is_long ? services_.long_work.take() : std::nullopt;
    if (is_long && !place) {
      Response busy = problem(503, "too_much_work", "The server makes other long answers: try again.");
      co_return co_await write(std::move(busy), is_head, keep_alive);
    }
    if (match.route->runs != Route::Runs::on_loop) {
      auto work = [this, &match, is_long]() -> Answer {
        // It may have waited for a thread.
        if (is_long && services_.is_stopping()) return stopping_problem();
        return services_.router.answer(match);
      };
      answer = co_await on_pool(services_.pool.get_executor(), std::move(work));
    } else {
      answer = services_.router.answer(match);
    }
    if (std::holds_alternative<ReceiveAudio>(answer)) {
      if (co_await upgrade(&request, websocket_limits())) co_await serve_stream(websocket_, &services_);
      co_return false;
    }
    if (auto* const realtime = std::get_if<TranscribeRealtime>(&answer)) {
      if (co_await upgrade(&request, websocket_limits_of_realtime())) {
        co_await serve_realtime(websocket_, &services_, &request, std::move(realtime->model));
      }
      co_return false;
    }
    if (std::holds_alternative<TranscribeForm>(answer)) co_return co_await transcribe(&request);
    if (auto* const command = std::get_if<Command>(&answer)) {
      answer = co_await carry_out(std::move(*command));
    } else if (auto* const again = std::get_if<TranscribeSession>(&answer)) {
      answer = co_await transcribe_again(std::move(*again));
    } else if (auto* const follow = std::get_if<FollowEvents>(&answer)) {
      auto cursor = services_.feed.start(follow->after);
      if (cursor) {
        EventPump pump(stream_.get_executor(), services_.feed,
                       {services_.router.root(), std::move(*cursor), std::move(follow->types)}, services_.pool,
                       limits_.heartbeat);
        if (match.is_websocket) {
          co_await follow_events(&request, &pump);
        } else {
          co_await stream_events(&pump, is_head);
        }
        co_return false;
      }
      answer = problem(404, "not_found",
                       "This server has not recorded a session yet: leave \"after\" out, or give the id of an event.");
    }
    co_return co_await write(std::move(std::get<Response>(answer)), is_head, keep_alive);
  }

  asio::awaitable<Response> carry_out(Command command) {
    if (services_.is_stopping()) {
      co_return stopping_problem();
    }
    stream_.expires_never();
    auto [error] = co_await services_.backend.submit(std::move(command), kAwait);
    if (!error) co_return services_.router.status();
    const std::string sentence = services_.backend.last_error();
    co_return problem(std::error_code(error), sentence.empty() ? error.message() : sentence);
  }

  // Uploads

  /// False where the client is gone. The connection ends behind the answer: the client may still be sending.
  asio::awaitable<bool> transcribe(const Request* request) {
    const auto place = services_.transcriptions.admit();
    if (!place) {
      Response busy = problem(429, "too_many_transcriptions", "The server transcribes many files already: try again.");
      co_return co_await write(std::move(busy), false, false);
    }
    auto received = co_await receive_form(request);
    if (!received) co_return false;
    if (auto* const refused = std::get_if<Response>(&*received)) {
      co_return co_await write(std::move(*refused), false, false);
    }
    auto& form = *std::get<std::unique_ptr<TranscriptionForm>>(*received);
    const TranscriptionRequest wanted = form.request();
    stream_.expires_never();
    end_with_client();
    auto begun = co_await services_.transcriptions.begin(wanted, form.take_file());
    if (auto* const refused = std::get_if<Response>(&begun)) {
      co_return co_await write(std::move(*refused), false, false);
    }
    const auto& transcription = std::get<std::unique_ptr<Transcription>>(begun);
    if (wanted.is_streamed) co_return co_await stream_texts(transcription.get());
    auto outcome = co_await transcription->finish();
    if (auto* const failed = std::get_if<Response>(&outcome)) {
      co_return co_await write(std::move(*failed), false, false);
    }
    co_return co_await write(answer_of(wanted, std::get<TranscriptionResult>(outcome)), false, false);
  }

  /// Reads the form into a file. The problem where it is wrong; empty where the client is gone, or too slow.
  asio::awaitable<std::optional<std::variant<Response, std::unique_ptr<TranscriptionForm>>>> receive_form(
      const Request* request) {
    using Result = std::optional<std::variant<Response, std::unique_ptr<TranscriptionForm>>>;
    std::unique_ptr<TranscriptionForm> form;
    std::string_view piece;
    std::uint64_t unchecked = parser_->content_length().value_or(0);  // bytes that the disk may not have room for
    // What is done with a piece; the first makes the form, one that is empty ends it.
    auto work = [this, request, &form, &piece, &unchecked]() -> std::optional<Response> {
      try {
        auto& service = services_.transcriptions;
        if (!form || unchecked >= kDiskCheck) {
          const std::string why = why_below_reserve(service.folder(), unchecked, limits_.disk_reserve);
          if (!why.empty()) return problem(Errc::disk_full, why);
          unchecked = 0;
        }
        if (!form) {
          form = std::make_unique<TranscriptionForm>(
              *request->header("Content-Type"), service.folder(),
              [&service](std::string_view name) { return service.has_model(name); });
        } else if (piece.empty()) {
          form->finish();
        } else {
          form->take(piece);
          unchecked += piece.size();
        }
        return std::nullopt;
      } catch (const FieldError& wrong) {
        return problem_of_field(wrong.field(), wrong.what());
      } catch (const std::exception&) {
        return problem_of_current_exception();
      }
    };
    const auto too_large = [this] {
      return problem(413, "body_too_large",
                     fmt::format("A file may have {} MiB: send it in parts.", limits_.upload_bytes >> 20));
    };
    if (parser_->content_length().value_or(0) > limits_.upload_bytes) co_return Result(too_large());
    auto refused = co_await on_pool(services_.pool.get_executor(), work);
    if (refused) co_return Result(std::move(*refused));
    if (co_await agree_to_body()) co_return std::nullopt;
    const bool is_empty = parser_->is_done();
    http::request_parser<http::buffer_body> parser(std::move(*parser_));
    const auto begin = std::chrono::steady_clock::now();
    std::string buffer(kFilePiece, '\0');
    for (std::uint64_t received = 0; !is_empty && !parser.is_done();) {
      parser.get().body() = {.data = buffer.data(), .size = buffer.size(), .more = true};
      stream_.expires_at(begin + limits_.request + std::chrono::seconds(received / limits_.upload_rate));
      auto [error, size] = co_await http::async_read(stream_, buffer_, parser, kAwait);
      if (error && error != http::error::need_buffer) {
        auto wrong = problem_of(error);
        if (!wrong) co_return std::nullopt;
        co_return Result(std::move(*wrong));
      }
      piece = std::string_view(buffer).substr(0, buffer.size() - parser.get().body().size);
      received += piece.size();
      if (received > limits_.upload_bytes) co_return Result(too_large());
      if (!piece.empty()) refused = co_await on_pool(services_.pool.get_executor(), work);
      if (refused) co_return Result(std::move(*refused));
    }
    piece = {};
    refused = co_await on_pool(services_.pool.get_executor(), work);
    if (refused) co_return Result(std::move(*refused));
    co_return Result(std::move(form));
  }

  /// Ends the connection, and so the work for it, once the client has closed its end, or sends more, which
  /// would hide that end.
  void end_with_client() {
    stream_.socket().async_wait(Socket::wait_read, [weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->is_idle_) return;
      char first = 0;
      const auto got = ::recv(self->stream_.socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return self->end_with_client();
      self->cancel();
    });
  }

  asio::awaitable<bool> stream_texts(Transcription* transcription) {
    Message message = message_of({.content_type = "text/event-stream", .body = {}, .headers = {}}, false);
    if (!co_await write_message(std::move(message), true)) co_return false;
    bool is_first = true;
    while (const auto text = co_await transcription->next_text()) {
      const std::string event = delta_event(std::exchange(is_first, false) ? *text : " " + *text);
      if (!co_await send(event)) co_return false;
      stream_.expires_never();
    }
    auto outcome = co_await transcription->finish();
    const auto* const failed = std::get_if<Response>(&outcome);
    const std::string last =
        failed != nullptr ? error_event(*failed) : done_event(std::get<TranscriptionResult>(outcome));
    co_return co_await send(last);
  }

  asio::awaitable<Response> transcribe_again(TranscribeSession wanted) {
    stream_.expires_never();
    const std::filesystem::path session = wanted.session;
    auto refused = co_await services_.jobs.run(std::move(wanted));
    if (refused) co_return std::move(*refused);
    auto work = [session]() -> Response {
      try {
        return session_response(session);
      } catch (const RecorderError&) {  // deleted meanwhile, say
        return problem_of_current_exception();
      }
    };
    co_return co_await on_pool(services_.pool.get_executor(), std::move(work));
  }

  // Responses

  asio::awaitable<bool> write(Response response, bool is_head, bool keep_alive) {
    if (is_openai_) response = with_openai_error(std::move(response));
    if (std::holds_alternative<std::string>(response.body)) {
      co_return co_await write_text(std::move(response), is_head, keep_alive);
    }
    co_return co_await write_file(std::move(response), is_head, keep_alive);
  }

  asio::awaitable<bool> write_text(Response response, bool is_head, bool keep_alive) {
    auto& text = std::get<std::string>(response.body);
    Message message = message_of(response, keep_alive);
    if (response.status != 304) message.content_length(text.size());  // else it would be that of what has not changed
    if (!is_head) message.body() = std::move(text);
    co_return co_await write_message(std::move(message), is_head);
  }

  asio::awaitable<bool> write_file(Response response, bool is_head, bool keep_alive) {
    const auto& slice = std::get<FileSlice>(response.body);
    Message message = message_of(response, keep_alive);
    message.content_length(slice.size);
    if (!co_await write_message(std::move(message), true)) co_return false;
    for (std::uint64_t sent = 0; sent < slice.size && !is_head;) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kFilePiece, slice.size - sent));
      auto work = [&slice, sent, size] { return read_piece(slice.file.get(), slice.offset + sent, size); };
      const std::string piece = co_await on_pool(services_.pool.get_executor(), std::move(work));
      // What was announced is not there any more: only a connection that breaks says so.
      if (piece.size() < size || !co_await send(piece)) co_return false;
      sent += size;
    }
    co_return true;
  }

  asio::awaitable<bool> write_message(Message message, bool only_header) {
    count_response(static_cast<int>(message.result_int()));
    if (logged_) message.set("X-Request-Id", logged_->id());
    http::response_serializer<http::string_body> serializer(message);
    stream_.expires_after(limits_.send);
    if (only_header) {
      serializer.split(true);
      auto [error, size] = co_await http::async_write_header(stream_, serializer, kAwait);
      count_bytes(size);
      co_return !error;
    }
    auto [error, size] = co_await http::async_write(stream_, serializer, kAwait);
    count_bytes(size);
    co_return !error;
  }

  void count_response(int status) {
    services_.metrics.count_response(status);
    if (logged_) logged_->set_status(status);
  }

  void count_bytes(std::size_t size) {
    if (logged_) logged_->add_bytes(size);
  }

  asio::awaitable<bool> send(std::string_view bytes) {
    if (bytes.empty()) co_return true;
    stream_.expires_after(limits_.send);
    auto [error, size] = co_await asio::async_write(stream_, asio::buffer(bytes), kAwait);
    count_bytes(size);
    co_return !error;
  }

  // Events

  /// The client's end of the connection ends the stream, as does whatever it sends, which no client of a stream does.
  asio::awaitable<void> stream_events(EventPump* pump, bool is_head) {
    Message message = message_of({.content_type = "text/event-stream", .body = {}, .headers = {}}, false);
    if (!co_await write_message(std::move(message), true) || is_head) co_return;
    stream_.socket().async_wait(Socket::wait_read,
                                [pumping = pump->handle()](const boost::system::error_code&) { pumping.stop(); });
    co_await pump->run([this](std::span<const EventLine> events) { return send_events(events); });
  }

  asio::awaitable<bool> send_events(std::span<const EventLine> events) {
    std::string text;
    for (const EventLine& event : events) text += sse_event(event);
    co_return co_await send(text.empty() ? kHeartbeat : text);
  }

  // WebSockets

  WebSocket::Limits websocket_limits() const {
    return {.message_bytes = limits_.message_bytes, .write = limits_.send, .close = kLingerTime};
  }

  WebSocket::Limits websocket_limits_of_realtime() const {
    WebSocket::Limits limits = websocket_limits();
    limits.long_messages = {
        .from_bytes = limits.message_bytes, .places = &services_.long_messages, .time = limits_.long_message};
    limits.message_bytes = limits_.long_message_bytes;
    return limits;
  }

  /// Makes a WebSocket of the connection. False where the client is gone.
  asio::awaitable<bool> upgrade(const Request* request, WebSocket::Limits limits) {
    if (buffer_.size() > 0) co_return false;  // a frame before the agreement: no client does that
    websocket_ = co_await accept_websocket(stream_.release_socket(), request, limits);
    if (websocket_) count_response(kSwitchingProtocols);
    co_return websocket_ != nullptr;
  }

  asio::awaitable<void> follow_events(const Request* request, EventPump* pump) {
    if (!co_await upgrade(request, websocket_limits())) co_return;
    const auto has_received_message = std::make_shared<bool>(false);
    asio::co_spawn(stream_.get_executor(), read_to_the_end(websocket_, pump->handle(), has_received_message),
                   asio::detached);
    const bool is_over = co_await pump->run([this](std::span<const EventLine> events) { return write_events(events); });
    if (*has_received_message) {
      co_await websocket_->close(CloseCode::policy, "Nothing is read here: events are only sent.");
    } else if (is_over) {
      co_await websocket_->close(CloseCode::going_away, "The server is stopping.");
    }
  }

  asio::awaitable<bool> write_events(std::span<const EventLine> events) {
    if (events.empty()) co_return co_await websocket_->ping();
    for (const EventLine& event : events) {
      if (!co_await websocket_->write_text(websocket_event(event))) co_return false;
    }
    co_return true;
  }

  /// Answers pings, and notices the end. A message that comes ends the pump: `has_received_message`.
  static asio::awaitable<void> read_to_the_end(std::shared_ptr<WebSocket> websocket, EventPump::Handle pumping,
                                               std::shared_ptr<bool> has_received_message) {
    while (co_await websocket->read()) {
      *has_received_message = true;
      pumping.stop();
    }
    pumping.stop();
  }

  /// Lets a client that is still sending read what it was answered: closing at once could take that from it.
  asio::awaitable<void> linger() {
    boost::system::error_code ignored;
    stream_.socket().shutdown(Socket::shutdown_send, ignored);
    stream_.expires_after(kLingerTime);
    std::array<char, 4096> rest{};
    for (std::size_t dropped = 0; dropped < kMaxLinger;) {
      auto [error, size] = co_await stream_.async_read_some(asio::buffer(rest), kAwait);
      if (error) co_return;
      dropped += size;
    }
  }

  beast::basic_stream<asio::generic::stream_protocol> stream_;
  const Peer peer_;
  const ConnectionServices& services_;
  const Limits limits_;
  std::optional<http::request_parser<http::string_body>> parser_;  // of the request that is being read
  beast::flat_buffer buffer_{limits_.header_bytes + limits_.body_bytes};
  std::optional<LoggedRequest> logged_;   // that is being answered, where there is a log
  std::shared_ptr<WebSocket> websocket_;  // once it is one; `stream_` has no socket then
  asio::cancellation_signal cancellation_;
  bool is_idle_ = true;
  bool is_openai_ = false;  // the request that is answered is for the OpenAI-compatible API
  bool is_form_ = false;    // its body is a form with a file, which is not read with it
};

}  // namespace

std::shared_ptr<Connection> start_connection(Socket socket, Peer peer, const ConnectionServices& services,
                                             std::function<void(Connection*)> ended) {
  auto connection = std::make_shared<HTTPConnection>(std::move(socket), std::move(peer), services);
  HTTPConnection::start(connection, std::move(ended));
  return connection;
}

}  // namespace dictum::server
