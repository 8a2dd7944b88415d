#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace dictum::recorder {

/// Where the work of a recorder runs: strands, each of which may be held up (a device that hangs, a disk that
/// does not answer) without the others noticing.
struct Strands {
  boost::asio::any_io_executor loop;    // the core, workers, timers: never blocks
  boost::asio::any_io_executor listen;  // source, detector, segmenter
  boost::asio::any_io_executor disk;    // the session's files
  boost::asio::any_io_executor sync;    // waits until what was written is on the disk, beside the writing
  boost::asio::any_io_executor work;    // what may block and belongs to none of them
};

/// Takes what a handler threw. Called on any thread, inside a catch block.
using ExceptionHandler = std::function<void(const std::exception_ptr&)>;

/// Threads of our own under the strands. They end when the last work is done; `join` waits for that, and a thread
/// that is stuck in a device or in code of the user's is left behind with the state that it owns.
///
/// Threads: any. Owner: the runtime. Throws RecorderError(internal) where the system gives no thread.
class WorkThreads {
 public:
  WorkThreads();
  ~WorkThreads();
  WorkThreads(const WorkThreads&) = delete;
  WorkThreads& operator=(const WorkThreads&) = delete;

  /// Strands over these threads, which may be held for longer than this object: what they run on is kept with them.
  Strands make_strands(ExceptionHandler on_exception) const;

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

/// The strands over `work`, a pool of the caller's. What a handler throws that runs on one of them (for want of memory,
/// say) goes to `on_exception` and ends neither the thread nor the program.
Strands make_strands(const boost::asio::any_io_executor& work, ExceptionHandler on_exception);

/// Puts new strands in the place of those that may be stuck: all but `loop`.
void renew(Strands& strands);

/// An object that lives on a strand other than `loop`. Shared by the session, until that has no use for it any more,
/// and by what is posted to the strand; destroyed there, however the last of them ends: a source is closed where it is
/// read, files are closed where they are written. Where the strand is stuck, so is the object.
template <class T>
using OnStrand = std::shared_ptr<T>;

template <class T>
OnStrand<T> owned_by_strand(boost::asio::any_io_executor strand, std::unique_ptr<T> object) {
  return OnStrand<T>(object.release(), [strand = std::move(strand)](T* last) {
    std::unique_ptr<T> owned(last);
    try {
      boost::asio::post(strand, [owned = std::move(owned)] {});
    } catch (...) {  // no memory: it is gone by now, if not on its strand
    }
  });
}

}  // namespace dictum::recorder
