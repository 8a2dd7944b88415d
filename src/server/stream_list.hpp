#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "server/remote_stream.hpp"

namespace dictum::server {

/// The streams of audio that the server records. One without a connection is kept for a time, so that its client can
/// come back with the stream's token; then it ends.
///
/// Thread: the loop's. Owner: the server.
class StreamList {
 public:
  StreamList(StreamServices services, std::size_t max_streams, std::chrono::milliseconds patience);

  /// Begins a stream, or finds the one that goes on. The problem where there is none, or cannot be.
  /// `adapt` changes the configuration of the recorder of one that begins.
  boost::asio::awaitable<std::variant<Response, std::shared_ptr<RemoteStream>>> open(
      StreamHello hello, std::function<void(RecorderConfig&)> adapt = {});

  /// The connection of a stream has ended.
  void disconnected(const std::shared_ptr<RemoteStream>& stream, const std::shared_ptr<WebSocket>& connection);

  /// A client that cannot come back is gone: ends its stream behind what it has sent, and drops it once it is over.
  void finish(const std::shared_ptr<RemoteStream>& stream);

  /// The end was sent to the client.
  void forget(const std::string& token);

  std::size_t size() const { return streams_.size(); }

  /// Ends all of them without waiting for texts; none is begun any more.
  void stop();
  boost::asio::awaitable<void> stopped();

 private:
  boost::asio::awaitable<void> expire(std::weak_ptr<RemoteStream> weak, int connections);

  const StreamServices services_;
  const std::size_t max_streams_;
  const std::chrono::milliseconds patience_;
  std::map<std::string, std::shared_ptr<RemoteStream>, std::less<>> streams_;  // by the hash of their tokens
  int stopping_ = 0;                                                           // streams that are being stopped
  bool is_stopping_ = false;
  boost::asio::steady_timer none_left_;
};

}  // namespace dictum::server
