#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "base/timer.hpp"
#include "dictum/clock.hpp"
#include "transcription/worker.hpp"
#include "transcription/worker_lane.hpp"
#include "transcription/worker_pool_settings.hpp"

namespace dictum::transcription {

/// The workers of a pool, and the rules of how many are started and which of them works ahead. What a worker says goes
/// to the pool.
///
/// Threads: lives on the pool's strand. Owner: the pool. Never fails: what a worker does wrong is an action of its
/// slot.
class WorkerLanes {
 public:
  using Work = WorkerLane::Work;

  /// What goes to the pool; never from inside a constructor.
  struct Callbacks {
    std::function<void(WorkerLane&, WorkerSlot::Action)> on_action;
    std::function<void(const WorkerLane&)> on_death;  ///< of the process, before the slot gets to know
    std::function<void()> on_change;                  ///< another worker may be idle, or wanted
  };

  /// Starts no worker.
  WorkerLanes(const boost::asio::any_io_executor& strand, const WorkerPoolSettings& settings,
              std::shared_ptr<const Clock> clock, const Timers& timers, const StartWorker& start, Callbacks callbacks);

  std::deque<WorkerLane>::iterator begin() { return lanes_.begin(); }
  std::deque<WorkerLane>::iterator end() { return lanes_.end(); }

  bool has_ready_worker() const;
  bool is_working_on(Work work) const;

  /// Whether a worker belongs to a cluster, by its hello.
  bool has_remote_worker() const;

  /// Whether one more may take a background job: they leave a worker to live ones where there are several.
  bool has_room_for_background() const;

  /// Gives an idle worker something to do. `seconds` of audio decide how long it may take.
  void run(WorkerLane& lane, Work work, Job message, double seconds);

  /// Cancels what workers do of this kind. The workers stay warm.
  void cancel(Work work);

  struct Demand {
    std::size_t waiting{};  ///< jobs that found no idle worker
    bool fits_fresh{};      ///< a fresh worker could take one of them
    bool is_awaited{};      ///< somebody waits for the hello of any worker
  };

  /// Starts as many workers as there is work for; one that has failed with a job may be needed fresh.
  void start(Demand demand);

  /// An idle worker that a final text will not have to wait for; null where there is none.
  WorkerLane* idle_for_extra_work();

  /// Starts one worker more, unless one is being started.
  void start_extra();

  void abandon();

 private:
  std::ptrdiff_t count(WorkerSlot::State state) const;

  const std::shared_ptr<const Clock> clock_;
  const std::chrono::duration<double> deadline_base_;
  const std::chrono::duration<double> deadline_per_sec_;
  const Callbacks callbacks_;
  std::deque<WorkerLane> lanes_;  // callbacks refer to its elements
};

}  // namespace dictum::transcription
