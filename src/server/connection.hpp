#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>

#include "dictum/async_recorder_backend.hpp"
#include "server/event_feed.hpp"
#include "server/limits.hpp"
#include "server/log.hpp"
#include "server/metrics.hpp"
#include "server/places.hpp"
#include "server/router.hpp"
#include "server/session_jobs.hpp"
#include "server/socket.hpp"
#include "server/stream_list.hpp"
#include "server/transcription_service.hpp"
#include "server/waiting_places.hpp"

namespace dictum::server {

/// What a connection works with; lives as long as the server.
struct ConnectionServices {
  const Router& router;
  EventFeed& feed;
  StreamList& streams;
  TranscriptionService& transcriptions;
  Metrics& metrics;
  Log& log;
  SessionJobs& jobs;
  AsyncRecorderBackend& backend;
  boost::asio::thread_pool& pool;  ///< for what blocks on files
  WaitingPlaces& long_messages;    ///< of the clients of OpenAI's Realtime API
  Places& long_work;               ///< of those that take long there, so that the others have threads left
  Limits limits;
  std::function<bool()> is_stopping;
};

/// A client's connection: reads requests, one after the other, and writes their responses, until either side ends it.
///
/// Thread: the loop's, which it never blocks. Owner: the server, and itself until it has ended.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Whether no request is being answered.
  virtual bool is_idle() const = 0;

  /// Ends it, whatever it waits for.
  virtual void cancel() = 0;
};

/// Whose connection it is.
struct Peer {
  std::string address;      ///< for the log
  bool is_trusted = false;  ///< whoever can open it may do everything
};

/// Serves a connection. `ended` is called once, on the loop.
std::shared_ptr<Connection> start_connection(Socket socket, Peer peer, const ConnectionServices& services,
                                             std::function<void(Connection*)> ended);

}  // namespace dictum::server
