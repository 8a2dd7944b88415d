#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/guarded.hpp"
#include "recorder/strands.hpp"

namespace dictum::recorder {

/// The strands of one recorder, and their threads where the caller has none: made with the first call that needs them,
/// given back where a start failed and nothing else needs them, ended with the recorder.
///
/// Thread safety: every method from any thread. Owner: the runtime.
class StrandSupply {
 public:
  /// `work` is a pool of the caller's, or empty for threads of our own. Starts nothing.
  explicit StrandSupply(boost::asio::any_io_executor work) : given_work_(std::move(work)) {}

  /// The loop strand, for a call that begins now and keeps the threads until `end_call`. Empty where nothing was
  /// started.
  std::optional<boost::asio::any_io_executor> begin_call();

  /// The same; strands are made where there are none. Throws RecorderError(invalid_state) after `shut_down`, and where
  /// the system gives no thread.
  boost::asio::any_io_executor begin_first_call(const ExceptionHandler& on_exception);

  void end_call();

  /// Gives our own threads back, unless a call is under way or the recorder needs them for good. `release` is called
  /// first, for what lives on them. They end when what is posted is done.
  bool give_back(const std::function<void()>& release);

  /// Throws RecorderError(cancelled) where there are none any more.
  Strands strands() const;

  /// Runs it on `disk`. False where there is none.
  bool post_to_disk(std::function<void()> work) const;

  /// The device or the disk does not answer: what begins from now on has other strands and threads.
  void replace();

  /// Makes none any more. Returns the loop strand for the last call, which is begun; empty where there is nothing to
  /// end.
  std::optional<boost::asio::any_io_executor> shut_down();
  bool is_shut_down() const { return shared_.lock()->is_shut_down; }

  /// After `shut_down`: waits for the threads; those that do not end in time are abandoned.
  void join(std::chrono::steady_clock::time_point deadline) noexcept;

 private:
  struct Shared {
    std::unique_ptr<WorkThreads> threads;  // null: the caller's pool, or none yet
    std::optional<Strands> strands;        // empty: nothing was started, or its threads were given back
    bool is_shut_down = false;
    bool were_replaced = false;
    std::size_t calls = 0;  // that have not ended
  };

  const boost::asio::any_io_executor given_work_;
  Guarded<Shared> shared_;
};

}  // namespace dictum::recorder
