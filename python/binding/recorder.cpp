#include "recorder.hpp"

#include <utility>

#include "dictum/error.hpp"
#include "wire/command_json.hpp"
#include "without_gil.hpp"

namespace dictum::python {

bool Call::done() const {
  const std::lock_guard lock(state_->mutex);
  return state_->outcome.has_value();
}

void Call::check() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->outcome && state_->outcome->code) throw RecorderError(state_->outcome->code, state_->outcome->sentence);
}

Subscription::Subscription(detail::Engine& engine, bool ephemeral, std::shared_ptr<Notifier> notifier, bool may_block)
    : queue_(engine.subscribe(
          ephemeral ? EventFilter::all() : EventFilter::journaled(),
          {.wake = [notifier = std::move(notifier)] { notifier->notify(); }, .may_block = may_block})) {}

Subscription::~Subscription() {
  {
    const WithoutGIL unlocked;  // a `notify` that is running, which is waited for, may want it
    close();
  }
  if (!process_.is_this_one())
    new std::shared_ptr(queue_);  // left alone for ever: a thread that is not here may lock it
}

std::optional<std::string> Subscription::next() {
  if (!process_.is_this_one()) return std::nullopt;
  const auto event = queue_->next();
  return event ? std::optional(event->to_json()) : std::nullopt;
}

void Subscription::handled() {
  if (process_.is_this_one()) queue_->handled();
}

void Subscription::callback_threw(const std::string& what) {
  if (process_.is_this_one()) queue_->callback_threw(what);
}

void Subscription::close() {
  if (process_.is_this_one()) queue_->close();
}

Recorder::Recorder(RecorderConfig config) : engine_(detail::make_engine(std::move(config))) {}

Recorder::~Recorder() {
  {
    const WithoutGIL unlocked;  // as above
    shut_down(false);
  }
  if (!process_.is_this_one()) new std::shared_ptr(engine_);  // left alone for ever: its threads are not here to join
}

detail::Engine& Recorder::engine() const {
  process_.check();
  return *engine_;
}

std::unique_ptr<Subscription> Recorder::subscribe(bool ephemeral, std::shared_ptr<Notifier> notifier, bool may_block) {
  return std::make_unique<Subscription>(engine(), ephemeral, std::move(notifier), may_block);
}

std::unique_ptr<Call> Recorder::submit(std::string_view command, const Subscription* caller,
                                       std::shared_ptr<Notifier> notifier) {
  auto made = std::make_unique<Call>();
  const detail::DeliveryScope scope(caller == nullptr ? nullptr : caller->queue_.get());
  engine().submit(wire::parse_command(command),
                  [state = made->state_, notifier = std::move(notifier)](detail::Outcome outcome) {
                    {
                      const std::lock_guard lock(state->mutex);
                      state->outcome = std::move(outcome);
                    }
                    notifier->notify();
                  });
  return made;
}

bool Recorder::is_recording() const {
  return engine().is_recording();
}

std::string_view Recorder::state() const {
  return to_string(engine().state());
}

std::optional<std::filesystem::path> Recorder::session_path() const {
  return engine().session_path();
}

void Recorder::shut_down(bool subscribers_can_be_awaited) noexcept {
  using Subscribers = detail::Engine::Subscribers;
  if (!process_.is_this_one()) return;
  engine_->shut_down(subscribers_can_be_awaited ? Subscribers::can_be_awaited : Subscribers::cannot_be_awaited);
}

}  // namespace dictum::python
