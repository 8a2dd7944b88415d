#include "server/server.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "base/own_programs.hpp"
#include "dictum/async_recorder_backend.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "server/cluster_watch.hpp"
#include "server/connection.hpp"
#include "server/control_socket.hpp"
#include "server/event_feed.hpp"
#include "server/metrics.hpp"
#include "server/on_pool.hpp"
#include "server/problem.hpp"
#include "server/router.hpp"
#include "server/service_manager.hpp"
#include "server/tls.hpp"
#include "session/manifest.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr int kFileThreads = 4;
constexpr std::size_t kLongWork = 2;  // of them at most
constexpr std::size_t kRecorderThreads = 4;
constexpr std::size_t kControlConnections = 16;                // besides those of the limits
constexpr auto kShutdownWait = std::chrono::seconds(1);        // for a client to take the end of its response
constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // while no descriptor is free

/// Encrypted connections, and those that are being agreed on.
struct Encrypted {
  std::size_t count = 0;
  std::function<void()> on_none_left;
};

void demand_tokens(const asio::ip::address& address, const ServerSettings& settings) {
  if (address.is_loopback() || !settings.tokens.is_empty()) return;
  throw RecorderError(
      Errc::invalid_argument,
      fmt::format("Other machines can reach the address {}, so a token is needed: make one with `dictum "
                  "serve --new-token FILE`, and add `--token-file FILE`.",
                  address.to_string()));
}

/// A socket that listens already.
tcp::acceptor adopt(asio::io_context& context, const ServerSettings& settings, UniqueFD passed) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(passed.get(), reinterpret_cast<sockaddr*>(&address), &size);
  tcp::acceptor acceptor(context);
  acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), passed.release());
  demand_tokens(acceptor.local_endpoint().address(), settings);
  return acceptor;
}

tcp::acceptor listen(asio::io_context& context, const ServerSettings& settings, UniqueFD passed) {
  if (passed) return adopt(context, settings, std::move(passed));
  boost::system::error_code error;
  const auto address = asio::ip::make_address(settings.address, error);
  if (error) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("\"{}\" is no address: give one in numbers, like 127.0.0.1.", settings.address));
  }
  demand_tokens(address, settings);
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

/// Of a client, in numbers; empty where it is gone already.
std::string address_of(const tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

/// Frames a second of a session that was begun; 0 where its manifest cannot be read.
int sample_rate_of(const std::filesystem::path& session) {
  try {
    return session::read_manifest(session).sample_rate;
  } catch (const RecorderError&) {
    return 0;
  }
}

/// The program that prints the status of the cluster which transcribes for this server.
ClusterWatch::Settings cluster_settings(const RecorderConfig& config) {
  ClusterWatch::Settings settings;
  const auto program = find_own_program("dictum-cluster");
  if (config.custom_transcriber || config.transcription.transcriber != "nats" || !program) return settings;
  settings.command = {program->string(), "status", "--json"};
  settings.environment = transcription::cluster_environment(config.transcription);
  return settings;
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
  Loop(RecorderConfig config, ServerSettings settings, PassedSockets passed)
      : log_(settings.log, settings.log_file),
        acceptor_(listen(context_, settings, std::move(passed.tcp))),
        tls_(settings.tls_certificate.empty() ? nullptr : make_tls_server(settings.tls_certificate, settings.tls_key)),
        limits_(settings.limits),
        root_(session_root(config)),
        streams_({config, context_.get_executor(), [this] { return recorders(); }, pool_, metrics_, log_},
                 limits_.streams, limits_.resume),
        transcriptions_({config, context_.get_executor(), [this] { return recorders(); }, pool_, metrics_, log_},
                        limits_),
        jobs_(config, context_.get_executor(), limits_.jobs),
        on_notice_(std::move(settings.on_notice)),
        hooks_(std::move(settings.hooks),
               [this](const std::string& session, const std::string& sentence) { report_hook(session, sentence); }),
        backend_(context_.get_executor(), config, [this](const Event& event) { take(event); }),
        cluster_(cluster_settings(config)),
        router_({root_, [this] { return status(); }, std::move(config), [this] { return metrics(); }},
                {std::move(settings.tokens), std::move(settings.hosts)}) {
    metrics_.begin(this, 0);
    open_control(settings, std::move(passed.control));
    encrypted_->on_none_left = [this] { none_left_.cancel(); };
    asio::co_spawn(context_, accept(), asio::detached);
    if (control_.is_open()) asio::co_spawn(context_, accept_control(), asio::detached);
    log_.add(LogLevel::info, "listening", {{"url", url()}});
    if (const auto interval = watchdog_interval()) asio::co_spawn(context_, feed_watchdog(*interval), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Loop() { stop(); }

  std::string url() const {
    const std::string address = endpoint_.address().to_string();
    const std::string_view scheme = tls_ ? "https" : "http";
    if (endpoint_.address().is_v6()) return fmt::format("{}://[{}]:{}", scheme, address, endpoint_.port());
    return fmt::format("{}://{}:{}", scheme, address, endpoint_.port());
  }

  std::string address() const { return endpoint_.address().to_string(); }
  const std::string& control_problem() const { return control_problem_; }

  void stop() {
    const std::lock_guard lock(stopping_);
    if (!thread_.joinable()) return;
    asio::co_spawn(context_, shut_down(), asio::detached);
    thread_.join();
    encrypted_->on_none_left = nullptr;  // they go with the context
    hooks_.finish(kShutdownWait);
    transcriptions_.join();
    pool_.join();
    if (recorders_) recorders_->join();
    log_.add(LogLevel::info, "stopped", {});
  }

  void notify(const std::string& sentence) {
    if (log_.is_on()) {
      log_.add(LogLevel::warning, "notice", {{"message", sentence}});
    } else if (on_notice_) {
      on_notice_(sentence);
    }
  }

 private:
  Status status() const {
    return {.state = backend_.state(),
            .is_recording = backend_.is_recording(),
            .session = backend_.get_session_path().filename().string(),
            .is_stopping = is_stopping_};
  }

  void take(const Event& event) {
    feed_.take(event);
    metrics_.take(this, event);
    log_.add(event);
    hooks_.take(event);
    const bool is_change = std::holds_alternative<RecordingStateChanged>(event.body);
    if (is_change && metrics_.lacks_sample_rate(event.session)) {
      asio::co_spawn(context_, read_sample_rate(event.session), asio::detached);
    }
  }

  /// On a thread of the hooks'.
  void report_hook(const std::string& session, const std::string& sentence) {
    if (on_notice_ && !log_.is_on()) on_notice_(sentence);
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
    Event event{.session = session, .sequence = {}, .timestamp = now.count(), .frame = 0, .body = {}};
    event.body = RecorderFault{.code = HookRunner::kFaultCode, .message = sentence, .recoverable = true};
    asio::post(context_, [this, event = std::move(event)] {
      feed_.take(event);
      metrics_.take(this, event);
      log_.add(event);
    });
  }

  /// No event has the rate of a session.
  asio::awaitable<void> read_sample_rate(std::string session) {
    auto work = [folder = root_ / session] { return sample_rate_of(folder); };
    metrics_.set_sample_rate(session, co_await on_pool(pool_.get_executor(), std::move(work)));
  }

  std::string metrics() {
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
    auto cluster = cluster_.figures();
    const std::chrono::duration<double> age =
        cluster ? std::chrono::steady_clock::now() - cluster->read_at : std::chrono::steady_clock::duration(0);
    return metrics_.text({.time = now.count(),
                          .is_recording = backend_.is_recording(),
                          .connections = connections_.size(),
                          .streams = streams_.size(),
                          .subscribers = feed_.watchers(),
                          .lag = feed_.lag(),
                          .cluster = std::move(cluster),
                          .cluster_age_sec = age.count(),
                          .log_lines_dropped = log_.dropped()});
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
      } else if (std::max(connections_.size() - trusted_, encrypted_->count) >= limits_.connections) {
        log_.add(LogLevel::warning, "connection_refused", {{"client", address_of(socket)}});
        if (!tls_) refuse(std::move(socket));  // else there is no way yet to say so
      } else {
        set_options(socket, limits_.send);
        Peer peer{.address = address_of(socket)};
        if (tls_) {
          ++encrypted_->count;
          asio::co_spawn(context_, encrypt(std::move(socket), std::move(peer)), asio::detached);
        } else {
          start(std::move(socket), std::move(peer));
        }
      }
    }
  }

  void start(Socket socket, Peer peer) {
    const bool is_trusted = peer.is_trusted;
    trusted_ += is_trusted ? 1 : 0;
    connections_.insert(
        start_connection(std::move(socket), std::move(peer), services_, [this, is_trusted](Connection* ended) {
          trusted_ -= is_trusted ? 1 : 0;
          std::erase_if(connections_, [&](const auto& each) { return each.get() == ended; });
          if (connections_.empty()) none_left_.cancel();
        }));
  }

  asio::awaitable<void> encrypt(tcp::socket socket, Peer peer) {
    auto ended = [encrypted = encrypted_] {
      if (--encrypted->count == 0 && encrypted->on_none_left) encrypted->on_none_left();
    };
    auto agreed = co_await accept_tls(std::move(socket), tls_, {.agree = limits_.request, .send = limits_.send},
                                      std::move(ended));
    if (auto* const plain = std::get_if<Socket>(&agreed); plain && !is_stopping_)
      start(std::move(*plain), std::move(peer));
  }

  void open_control(const ServerSettings& settings, UniqueFD listener) {
    if (!listener && !settings.control.empty()) {
      try {
        listener = control_socket_.emplace(settings.control).take();
      } catch (const RecorderError& error) {
        if (!settings.is_control_optional) throw;
        control_problem_ = error.what();
      }
    }
    if (listener) control_.assign(asio::local::stream_protocol(), listener.release());
  }

  /// Whoever can open it may do everything, and does not take the places of others.
  asio::awaitable<void> accept_control() {
    for (;;) {
      auto [error, socket] = co_await control_.async_accept(kAwait);
      if (is_stopping_) co_return;
      if (error) {
        asio::steady_timer pause(context_, kAcceptPause);
        co_await pause.async_wait(kAwait);
      } else if (trusted_ < kControlConnections) {
        start(std::move(socket), {.address = "control", .is_trusted = true});
      }
    }
  }

  /// From the loop, so that a loop that hangs is noticed.
  asio::awaitable<void> feed_watchdog(std::chrono::microseconds interval) {
    for (asio::steady_timer timer(context_);;) {
      notify_service_manager("WATCHDOG=1");
      timer.expires_after(interval);
      co_await timer.async_wait(kAwait);
    }
  }

  /// Without waiting for anything.
  static void refuse(tcp::socket socket) {
    const Response busy = problem(503, "too_many_connections", "The server has too many connections: try again later.");
    const auto& body = std::get<std::string>(busy.body);
    const std::string text = fmt::format(
        "HTTP/1.1 503 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}: {}\r\nConnection: close\r\n\r\n{}",
        reason(busy.status), busy.content_type, body.size(), busy.headers.front().name, busy.headers.front().value,
        body);
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  asio::awaitable<void> shut_down() {
    is_stopping_ = true;
    log_.add(LogLevel::info, "stopping", {});
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    control_.close(ignored);
    cancel_connections([](const Connection& each) { return each.is_idle(); });
    streams_.stop();
    transcriptions_.stop();
    jobs_.stop();
    co_await backend_.stop_recording(std::chrono::seconds(0), kAwait);
    co_await streams_.stopped();
    co_await jobs_.stopped();
    feed_.close();
    co_await wait_for_connections();
    cancel_connections([](const Connection&) { return true; });
    co_await wait_for_connections();
    co_await transcriptions_.stopped();  // what they use goes with the server
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
    none_left_.expires_after(kShutdownWait);
    if (!connections_.empty() || encrypted_->count > 0) co_await none_left_.async_wait(kAwait);
  }

  Log log_;
  Metrics metrics_;
  EventFeed feed_;                              // outlives the coroutines, which go with the context
  std::optional<asio::thread_pool> recorders_;  // of the streams; empty before the first
  asio::thread_pool pool_{kFileThreads};
  Places long_work_{kLongWork};
  asio::io_context context_{1};  // destroyed before the pools, to which the end of a stream gives its recorder
  std::optional<ControlSocket> control_socket_;
  std::string control_problem_;
  asio::local::stream_protocol::acceptor control_{context_};
  tcp::acceptor acceptor_;
  const std::shared_ptr<TLSContext> tls_;  // null where connections are not encrypted
  const std::shared_ptr<Encrypted> encrypted_ = std::make_shared<Encrypted>();
  const tcp::endpoint endpoint_ = acceptor_.local_endpoint();
  const Limits limits_;
  WaitingPlaces long_messages_{context_.get_executor(), limits_.long_messages};
  const std::filesystem::path root_;
  StreamList streams_;
  TranscriptionService transcriptions_;
  SessionJobs jobs_;
  const std::function<void(const std::string&)> on_notice_;
  HookRunner hooks_;
  AsyncRecorderBackend backend_;
  ClusterWatch cluster_;
  const Router router_;
  const ConnectionServices services_{router_,
                                     feed_,
                                     streams_,
                                     transcriptions_,
                                     metrics_,
                                     log_,
                                     jobs_,
                                     backend_,
                                     pool_,
                                     long_messages_,
                                     long_work_,
                                     limits_,
                                     [this] { return is_stopping_.load(); }};
  std::set<std::shared_ptr<Connection>> connections_;
  std::size_t trusted_ = 0;  // of them, over the control socket
  asio::steady_timer none_left_{context_};
  std::atomic<bool> is_stopping_{false};
  std::mutex stopping_;  // around `stop`
  std::thread thread_;
};

Server::Server(RecorderConfig config, ServerSettings settings, PassedSockets passed)
    : loop_(std::make_unique<Loop>(std::move(config), std::move(settings), std::move(passed))) {}

Server::~Server() = default;

std::string Server::url() const {
  return loop_->url();
}

std::string Server::address() const {
  return loop_->address();
}

void Server::notify(const std::string& sentence) {
  loop_->notify(sentence);
}

std::string Server::control_problem() const {
  return loop_->control_problem();
}

void Server::stop() {
  loop_->stop();
}

}  // namespace dictum::server
