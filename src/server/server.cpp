#include "server/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "dictum/async_recorder_backend.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "server/connection.hpp"
#include "server/event_feed.hpp"
#include "server/problem.hpp"
#include "server/router.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr int kFileThreads = 4;
constexpr std::size_t kRecorderThreads = 4;
constexpr auto kPatience = std::chrono::seconds(1);            // for a client to take the end of its response
constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // while no descriptor is free

tcp::acceptor listen(asio::io_context& context, const ServerSettings& settings) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(settings.address, error);
  if (error) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("\"{}\" is no address: give one in numbers, like 127.0.0.1.", settings.address));
  }
  if (!address.is_loopback() && settings.tokens.is_empty()) {
    throw RecorderError(
        Errc::invalid_argument,
        fmt::format("Other machines can reach the address {}, so a token is needed: make one with `dictum "
                    "serve --new-token FILE`, and add `--token-file FILE`.",
                    settings.address));
  }
  const tcp::endpoint endpoint(address, settings.port);
  tcp::acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    throw RecorderError(Errc::device_busy,
                        fmt::format("Cannot listen on {} port {}: {}. Give another --port; 0 takes a free one.",
                                    settings.address, settings.port, error.message()));
  }
  return acceptor;
}

}  // namespace

bool is_loopback(const std::string& address) {
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  return !error && parsed.is_loopback();
}

/// Everything that lives on the loop's thread.
class Server::Loop {
 public:
  Loop(RecorderConfig config, ServerSettings settings)
      : acceptor_(listen(context_, settings)),
        limits_(settings.limits),
        root_(session_root(config)),
        streams_({config, context_.get_executor(), [this] { return recorders(); }, pool_}, limits_.streams,
                 limits_.resume),
        transcriptions_({config, context_.get_executor(), [this] { return recorders(); }, pool_}, limits_),
        backend_(context_.get_executor(), config, [this](const Event& event) { feed_.take(event); }),
        router_({root_, [this] { return status(); }, std::move(config)},
                {std::move(settings.tokens), std::move(settings.hosts)}) {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Loop() { stop(); }

  std::string url() const {
    const std::string address = endpoint_.address().to_string();
    if (endpoint_.address().is_v6()) return fmt::format("http://[{}]:{}", address, endpoint_.port());
    return fmt::format("http://{}:{}", address, endpoint_.port());
  }

  void stop() {
    const std::lock_guard lock(stopping_);
    if (!thread_.joinable()) return;
    asio::co_spawn(context_, shut_down(), asio::detached);
    thread_.join();
    pool_.join();
    if (recorders_) recorders_->join();
  }

 private:
  Status status() const {
    return {.state = backend_.state(),
            .is_recording = backend_.is_recording(),
            .session = backend_.get_session_path().filename().string(),
            .is_stopping = is_stopping_};
  }

  /// For the work of the streams. Most servers have none, so the first one starts the threads.
  asio::any_io_executor recorders() {
    if (!recorders_) recorders_.emplace(std::max<std::size_t>(kRecorderThreads, std::thread::hardware_concurrency()));
    return recorders_->get_executor();
  }

  asio::awaitable<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      if (is_stopping_) co_return;
      if (error) {
        asio::steady_timer pause(context_, kAcceptPause);
        co_await pause.async_wait(kAwait);
      } else if (connections_.size() >= limits_.connections) {
        refuse(std::move(socket));
      } else {
        connections_.insert(start_connection(std::move(socket), services_, [this](Connection* ended) {
          std::erase_if(connections_, [&](const auto& each) { return each.get() == ended; });
          if (connections_.empty()) none_left_.cancel();
        }));
      }
    }
  }

  /// Without waiting for anything.
  static void refuse(tcp::socket socket) {
    const Response busy = problem(503, "too_many_connections", "The server has too many connections: try again later.");
    const auto& body = std::get<std::string>(busy.body);
    const std::string text = fmt::format(
        "HTTP/1.1 503 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n{}",
        reason(busy.status), busy.content_type, body.size(), body);
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  asio::awaitable<void> shut_down() {
    is_stopping_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    cancel_connections([](const Connection& each) { return each.is_idle(); });
    streams_.stop();
    transcriptions_.stop();
    co_await backend_.stop_recording(std::chrono::seconds(0), kAwait);
    co_await streams_.stopped();
    feed_.close();
    co_await wait_for_connections();
    cancel_connections([](const Connection&) { return true; });
    co_await wait_for_connections();
    context_.stop();
  }

  template <class Which>
  void cancel_connections(Which which) {
    const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const auto& each : all) {
      if (which(*each)) each->cancel();
    }
  }

  asio::awaitable<void> wait_for_connections() {
    none_left_.expires_after(kPatience);
    if (!connections_.empty()) co_await none_left_.async_wait(kAwait);
  }

  EventFeed feed_;                              // outlives the coroutines, which go with the context
  std::optional<asio::thread_pool> recorders_;  // of the streams; empty before the first
  asio::thread_pool pool_{kFileThreads};
  asio::io_context context_{1};  // before the pools, to which the end of a stream gives its recorder
  tcp::acceptor acceptor_;
  const tcp::endpoint endpoint_ = acceptor_.local_endpoint();
  const Limits limits_;
  const std::filesystem::path root_;
  StreamList streams_;
  TranscriptionService transcriptions_;
  AsyncRecorderBackend backend_;
  const Router router_;
  const ConnectionServices services_{router_,  feed_, streams_, transcriptions_,
                                     backend_, pool_, limits_,  [this] { return is_stopping_.load(); }};
  std::set<std::shared_ptr<Connection>> connections_;
  asio::steady_timer none_left_{context_};
  std::atomic<bool> is_stopping_{false};
  std::mutex stopping_;  // around `stop`
  std::thread thread_;
};

Server::Server(RecorderConfig config, ServerSettings settings)
    : loop_(std::make_unique<Loop>(std::move(config), std::move(settings))) {}

Server::~Server() = default;

std::string Server::url() const {
  return loop_->url();
}

void Server::stop() {
  loop_->stop();
}

}  // namespace dictum::server
