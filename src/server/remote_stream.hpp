#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dictum/async_recorder_backend.hpp"
#include "dictum/config.hpp"
#include "server/event_feed.hpp"
#include "server/log.hpp"
#include "server/metrics.hpp"
#include "server/remote_audio.hpp"
#include "server/safe_frames.hpp"
#include "server/stream_protocol.hpp"
#include "server/websocket.hpp"

namespace dictum::server {

/// What all streams have in common.
struct StreamServices {
  RecorderConfig config;  ///< of the recorder of each
  boost::asio::any_io_executor loop;
  std::function<boost::asio::any_io_executor()> recorders;  ///< for their work
  boost::asio::thread_pool& files;                          ///< where a recorder that has ended is given back
  Metrics& metrics;                                         ///< takes the events of all
  Log& log;                                                 ///< the same
};

/// A microphone elsewhere: a recorder of its own, fed by a client that may lose its connection and come back.
///
/// Thread: the loop's. Owner: the list of streams, and the connection that it has.
class RemoteStream : public std::enable_shared_from_this<RemoteStream> {
 public:
  RemoteStream(StreamServices services, StreamHello hello, std::string token);
  ~RemoteStream();
  RemoteStream(const RemoteStream&) = delete;
  RemoteStream& operator=(const RemoteStream&) = delete;

  /// Begins the session. The problem where that fails.
  boost::asio::awaitable<std::optional<Response>> start();

  const std::string& token() const { return token_; }
  const std::string& session() const { return session_; }

  /// Takes a message of audio as the hello says that it is. Throws RecorderError(invalid_argument) where it is not.
  void receive(std::string_view message);
  RemoteAudio& audio() { return *audio_; }
  EventFeed& feed() { return feed_; }

  /// Returns once the audio has room; at once where it has.
  boost::asio::awaitable<void> wait_for_room();

  /// The first frames of the stream that are safe: in the session's files, or silence that nobody needs.
  Frame acknowledged() const { return safe_.count(); }

  /// Which connection it has; the one before is ended. `on_progress` is called when more is acknowledged.
  void attach(std::shared_ptr<WebSocket> connection, std::function<void()> on_progress);

  /// `take` is given each event of the session, too; empty: none.
  void observe(std::function<void(const Event&)> take) { observer_ = std::move(take); }

  /// The connection is gone. True where it was the newest.
  bool detach(const std::shared_ptr<WebSocket>& connection);
  bool is_attached() const { return connection_ != nullptr; }

  /// How many connections it has had.
  int connections() const { return connections_; }

  /// Call after a start that succeeded. The audio ends here. The session ends behind it, its texts are waited for as
  /// long as is configured, and the feed is closed. Called again it does nothing.
  void finish();

  /// The same now, without waiting for texts.
  boost::asio::awaitable<void> stop();

  /// Whether the session and its feed have ended.
  bool is_over() const { return feed_.is_closed(); }
  boost::asio::awaitable<void> wait_until_over();

 private:
  boost::asio::awaitable<void> end(std::optional<std::chrono::duration<double>> drain);
  void give_back();
  void take(const Event& event);

  const StreamServices services_;
  const StreamHello hello_;
  const std::string token_;
  EventFeed feed_;
  boost::asio::steady_timer room_;   // never expires; cancelled where the audio may have room
  boost::asio::steady_timer ended_;  // the same at the end of the recording
  boost::asio::steady_timer over_;   // the same once the feed has ended, too
  std::shared_ptr<RemoteAudio> audio_;
  std::unique_ptr<AsyncRecorderBackend> backend_;  // null once the server has stopped it
  std::string session_;
  SafeFrames safe_;
  std::shared_ptr<WebSocket> connection_;
  int connections_ = 0;
  std::function<void()> on_progress_;
  std::function<void(const Event&)> observer_;
  bool is_recording_ = true;
  bool is_finishing_ = false;
};

}  // namespace dictum::server
