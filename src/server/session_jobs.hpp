#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>

#include "dictum/config.hpp"
#include "server/response.hpp"
#include "server/route.hpp"

namespace dictum::recorder {
class Runtime;
}

namespace dictum::server {

/// Sessions of the library that are transcribed for clients, each by a recorder of its own that records nothing.
///
/// Thread: the loop's. Owner: the server.
class SessionJobs {
 public:
  /// `config`: of the server's recorder. `files`: where recorders are given back, which may block.
  SessionJobs(RecorderConfig config, boost::asio::any_io_executor loop, boost::asio::thread_pool& files,
              std::size_t max_jobs);
  ~SessionJobs();

  /// Returns once all of it has its text or has failed, which the session says. The problem where it cannot be done.
  /// Goes on where nobody waits for it any more.
  boost::asio::awaitable<std::optional<Response>> run(TranscribeSession wanted);

  /// Ends all of them; what has no text stays unfinished. None is begun any more.
  void stop();
  boost::asio::awaitable<void> stopped();

 private:
  struct Job;
  RecorderConfig config_for(const TranscribeSession& wanted) const;
  boost::asio::awaitable<void> give_back(std::shared_ptr<Job> job);

  const RecorderConfig config_;
  const boost::asio::any_io_executor loop_;
  boost::asio::thread_pool& files_;
  const std::size_t max_jobs_;
  std::set<std::shared_ptr<Job>> jobs_;
  bool is_stopping_ = false;
  boost::asio::steady_timer none_left_;
};

}  // namespace dictum::server
