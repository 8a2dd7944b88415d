#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "base/timer.hpp"
#include "transcription/worker.hpp"
#include "transcription/worker_slot.hpp"

namespace dictum::transcription {

/// Carries out what one worker's slot decides: its process, its messages and its timers. Lives on the pool's strand;
/// owned by the pool, which gets every other action, and is not destroyed in it.
class SlotDriver {
 public:
  struct Parts {
    boost::asio::any_io_executor strand;
    WorkerCommand command;
    StartWorker start;
    std::function<void(WorkerSlot::Action)> on_action{};   ///< that is not for the process or a timer
    std::function<void(const WorkerFailure&)> on_death{};  ///< of the process, before the slot gets to know
    std::function<void()> on_change{};                     ///< after each input
  };

  SlotDriver(WorkerSlot::Settings settings, Parts parts, const Timers& timers);

  // The slot's state.
  WorkerSlot::State state() const { return slot_.state(); }
  bool is_ready() const { return slot_.is_ready(); }
  bool is_fresh() const { return slot_.is_fresh(); }
  const Hello& hello() const { return slot_.hello(); }

  // Inputs of the slot.
  void start() { feed(&WorkerSlot::start); }
  void run(WorkerSlot::Task task) { feed(&WorkerSlot::run, std::move(task)); }
  void cancel() { feed(&WorkerSlot::cancel); }
  void stop() { feed(&WorkerSlot::stop); }

 private:
  template <class... Parameters, class... Arguments>
  void feed(void (WorkerSlot::*input)(Parameters...), Arguments&&... arguments) {
    WorkerSlot::Actions actions;
    (slot_.*input)(std::forward<Arguments>(arguments)..., actions);
    carry_out(std::move(actions));
  }

  void carry_out(WorkerSlot::Actions actions);
  void start_process(WorkerSlot::Actions& actions);
  Timer& timer(WorkerSlot::TimerId which) { return which == WorkerSlot::TimerId::ping ? *ping_ : *deadline_; }

  WorkerSlot slot_;
  const Parts parts_;
  const std::unique_ptr<Timer> deadline_;
  const std::unique_ptr<Timer> ping_;
  std::unique_ptr<Worker> process_;
};

}  // namespace dictum::transcription
