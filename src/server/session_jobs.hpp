#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <optional>
#include <stop_token>

#include "dictum/config.hpp"
#include "server/response.hpp"
#include "server/route.hpp"

namespace dictum::server {

/// Sessions of the library that are transcribed for clients, as `resume_session` does it, each on a thread of its own.
///
/// Thread: the loop's. Owner: the server.
class SessionJobs {
 public:
  /// `config`: of the server's recorder.
  SessionJobs(RecorderConfig config, boost::asio::any_io_executor loop, std::size_t max_jobs);
  ~SessionJobs();

  /// Returns once all of it has its text or has failed, which the session says. The problem where it cannot be done.
  /// Continues where the client no longer waits for it.
  boost::asio::awaitable<std::optional<Response>> run(TranscribeSession wanted);

  /// Ends all of them; what has no text stays unfinished. None is begun any more.
  void stop();
  boost::asio::awaitable<void> stopped();

 private:
  class Job;
  RecorderConfig config_for(const TranscribeSession& wanted) const;
  boost::asio::thread_pool& threads();

  const RecorderConfig config_;
  const boost::asio::any_io_executor loop_;
  const std::size_t max_jobs_;
  std::size_t jobs_ = 0;
  std::stop_source stop_;
  boost::asio::steady_timer none_left_;
  std::optional<boost::asio::thread_pool> threads_;  // empty before the first job
};

}  // namespace dictum::server
