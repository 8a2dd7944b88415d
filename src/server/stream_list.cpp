#include "server/stream_list.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "dictum/error.hpp"
#include "digest/sha256.hpp"
#include "server/problem.hpp"
#include "server/token_list.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// Looking a token up by its hash says nothing by the time that it takes.
std::string key_of(std::string_view token) {
  digest::SHA256 sum;
  sum.add(token);
  return sum.hex();
}

}  // namespace

StreamList::StreamList(StreamServices services, std::size_t max_streams, std::chrono::milliseconds patience)
    : services_(std::move(services)),
      max_streams_(max_streams),
      patience_(patience),
      none_left_(services_.loop, asio::steady_timer::time_point::max()) {}

asio::awaitable<std::variant<Response, std::shared_ptr<RemoteStream>>> StreamList::open(
    StreamHello hello, std::function<void(RecorderConfig&)> adapt) {
  using Result = std::variant<Response, std::shared_ptr<RemoteStream>>;
  if (is_stopping_) {
    co_return Result(stopping_problem());
  }
  if (!hello.resume.empty()) {
    const auto found = streams_.find(key_of(hello.resume));
    if (found != streams_.end()) co_return Result(found->second);
    co_return Result(problem(404, "stream_unknown",
                             "The server does not have this stream any more: begin another one with the first frame "
                             "that was not acknowledged."));
  }
  if (streams_.size() >= max_streams_) {
    co_return Result(problem(503, "too_many_streams",
                             fmt::format("The server records {} streams already: try again later.", max_streams_)));
  }
  std::string token = random_token();
  const std::string key = key_of(token);
  StreamServices services = services_;
  if (adapt) adapt(services.config);
  auto stream = std::make_shared<RemoteStream>(std::move(services), std::move(hello), std::move(token));
  streams_.emplace(key, stream);
  std::optional<Response> refused;
  try {
    refused = co_await stream->start();
  } catch (const RecorderError&) {  // by its configuration, with what the client adds
    refused = problem_of_current_exception();
  } catch (...) {
    streams_.erase(key);
    throw;
  }
  if (refused) {
    streams_.erase(key);
    co_return Result(std::move(*refused));
  }
  if (is_stopping_) {
    co_return Result(stopping_problem());
  }
  co_return Result(std::move(stream));
}

void StreamList::disconnected(const std::shared_ptr<RemoteStream>& stream,
                              const std::shared_ptr<WebSocket>& connection) {
  if (!stream->detach(connection)) return;
  asio::co_spawn(services_.loop, expire(stream, stream->connections()), asio::detached);
}

void StreamList::finish(const std::shared_ptr<RemoteStream>& stream) {
  stream->finish();
  const auto drop = [](StreamList* list, std::shared_ptr<RemoteStream> ending) -> asio::awaitable<void> {
    co_await ending->wait_until_over();
    list->forget(ending->token());
  };
  asio::co_spawn(services_.loop, drop(this, stream), asio::detached);
}

void StreamList::forget(const std::string& token) {
  streams_.erase(key_of(token));
}

/// Ends a stream that nobody goes on with, and drops it once nobody has asked how it ended.
asio::awaitable<void> StreamList::expire(std::weak_ptr<RemoteStream> weak, int connections) {
  for (bool is_over = false; !is_over;) {
    asio::steady_timer timer(services_.loop, patience_);
    co_await timer.async_wait(kAwait);
    const auto stream = weak.lock();
    if (!stream || stream->connections() != connections) co_return;
    is_over = stream->is_over();
    if (is_over) forget(stream->token());
    if (!is_over) stream->finish();
  }
}

void StreamList::stop() {
  is_stopping_ = true;
  const auto end = [](StreamList* list, std::shared_ptr<RemoteStream> stream) -> asio::awaitable<void> {
    co_await stream->stop();
    if (--list->stopping_ == 0) list->none_left_.cancel();
  };
  for (const auto& [key, stream] : streams_) {
    ++stopping_;
    asio::co_spawn(services_.loop, end(this, stream), asio::detached);
  }
}

asio::awaitable<void> StreamList::stopped() {
  while (stopping_ > 0) co_await none_left_.async_wait(kAwait);
  streams_.clear();
}

}  // namespace dictum::server
