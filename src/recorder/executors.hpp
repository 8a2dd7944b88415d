#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace dictum::recorder {

/// Where the work of a recorder runs: three strands, each of which may be held up (a device that hangs, a disk that
/// does not answer) without the others noticing.
struct Executors {
  boost::asio::any_io_executor loop;    // the core, workers, timers: never blocks
  boost::asio::any_io_executor listen;  // source, detector, segmenter
  boost::asio::any_io_executor disk;    // the session's files
};

/// Three threads of our own under the strands. They end when the last work is done; `join` waits for that, and a thread
/// that is stuck in a device or in code of the user's is left behind with the state that it owns.
///
/// Threads: any. Owner: the runtime. Throws RecorderError(internal) where the system gives no thread.
class WorkThreads {
 public:
  WorkThreads();
  ~WorkThreads();
  WorkThreads(const WorkThreads&) = delete;
  WorkThreads& operator=(const WorkThreads&) = delete;

  boost::asio::any_io_executor executor() const;

  /// Two threads more, in place of those that a device and a disk may hold for ever.
  void replace_stuck() noexcept;

  /// Lets the threads end, waits for them no longer than `deadline`, and abandons those that have not ended by then:
  /// they still do what is posted, if they ever can.
  void join(std::chrono::steady_clock::time_point deadline) noexcept;

 private:
  struct State;
  void add_thread();
  std::vector<std::thread> close() noexcept;

  std::shared_ptr<State> state_;
};

/// The three strands over `work`, which is a pool of the caller's or the executor of WorkThreads.
Executors make_executors(const boost::asio::any_io_executor& work);

}  // namespace dictum::recorder
