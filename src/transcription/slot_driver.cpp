#include "transcription/slot_driver.hpp"

#include <utility>
#include <variant>

#include "dictum/error.hpp"

namespace dictum::transcription {

SlotDriver::SlotDriver(WorkerSlot::Settings settings, Parts parts, const Timers& timers)
    : slot_(std::move(settings)),
      parts_(std::move(parts)),
      deadline_(timers.make_timer(parts_.strand)),
      ping_(timers.make_timer(parts_.strand)) {}

void SlotDriver::carry_out(WorkerSlot::Actions actions) {
  for (std::size_t i = 0; i < actions.size(); ++i) {  // starting the process appends what follows
    WorkerSlot::Action action = std::move(actions[i]);
    if (std::holds_alternative<WorkerSlot::StartProcess>(action)) {
      start_process(actions);
    } else if (std::holds_alternative<WorkerSlot::KillProcess>(action)) {
      process_.reset();
    } else if (const auto* const send = std::get_if<WorkerSlot::Send>(&action)) {
      process_->send(send->message);
    } else if (const auto* const limit = std::get_if<WorkerSlot::LimitFrames>(&action)) {
      process_->limit_frames(limit->bytes);
    } else if (const auto* const started = std::get_if<WorkerSlot::StartTimer>(&action)) {
      timer(started->timer).start(started->delay, [this, which = started->timer] {
        feed(&WorkerSlot::timer_fired, which);
      });
    } else if (const auto* const cancelled = std::get_if<WorkerSlot::CancelTimer>(&action)) {
      timer(cancelled->timer).cancel();
    } else {
      parts_.on_action(std::move(action));
    }
  }
  parts_.on_change();
}

void SlotDriver::start_process(WorkerSlot::Actions& actions) {
  WorkerEvents events;
  events.on_message = [this](Message message) { feed(&WorkerSlot::received, std::move(message)); };
  events.on_end = [this](WorkerFailure failure) {
    if (failure.died) parts_.on_death(failure);
    feed(&WorkerSlot::process_ended, std::move(failure));
  };
  try {
    process_ = parts_.start(parts_.strand, parts_.command, std::move(events));
    slot_.process_started(actions);
  } catch (const WorkerStartError& error) {
    slot_.process_not_started(
        {.cause = error.cause(), .code = to_string(Errc::transcriber_missing), .message = error.what()}, actions);
  }
}

}  // namespace dictum::transcription
