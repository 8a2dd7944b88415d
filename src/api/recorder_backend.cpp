#include "dictum/recorder_backend.hpp"

#include <future>
#include <mutex>
#include <utility>
#include <variant>

#include "delivery/delivery_thread.hpp"
#include "dictum/detail/engine.hpp"

namespace dictum {
namespace {
constexpr auto kDestructionBound = std::chrono::milliseconds(1950);
}

Subscription::Subscription(std::unique_ptr<detail::DeliveryThread> delivery) : delivery_(std::move(delivery)) {}
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&&) noexcept = default;
Subscription::~Subscription() = default;

/// Each call holds it, since a callback may destroy the recorder before a call on another thread has returned.
struct RecorderBackend::Implementation {
  std::shared_ptr<detail::Engine> engine;
  std::unique_ptr<detail::DeliveryThread> delivery;  // of event_callback; null where there is none
  mutable std::mutex mutex;
  std::string last_error;

  /// What the call ended with.
  detail::Outcome submit(Command command) {
    detail::Outcome outcome = wait(std::move(command));
    const std::lock_guard lock(mutex);
    last_error = outcome.sentence;
    return outcome;
  }

  detail::Outcome wait(Command command) {
    const bool would_wait_for_itself = std::holds_alternative<StopRecording>(command) &&
                                       detail::current_delivery() != nullptr &&
                                       engine->delivers(detail::current_delivery());
    if (would_wait_for_itself) {
      return {make_error_code(Errc::resource_deadlock_would_occur),
              "stop_recording was called from inside a callback, which it would wait for: call it from another thread, "
              "or use AsyncRecorderBackend."};
    }
    std::promise<detail::Outcome> promise;
    auto future = promise.get_future();
    engine->submit(std::move(command), [&promise](detail::Outcome outcome) { promise.set_value(std::move(outcome)); });
    return future.get();
  }
};

RecorderBackend::RecorderBackend(RecorderConfig config, EventCallback event_callback)
    : implementation_(std::make_shared<Implementation>()) {
  implementation_->engine = detail::make_engine(std::move(config));
  if (event_callback) {
    implementation_->delivery = std::make_unique<detail::DeliveryThread>(
        *implementation_->engine, EventFilter::all(), std::move(event_callback),
        detail::DeliveryThread::Begins::with_the_first_session);
  }
}

RecorderBackend::RecorderBackend(std::shared_ptr<detail::Engine> engine)
    : implementation_(std::make_shared<Implementation>()) {
  implementation_->engine = std::move(engine);
}

RecorderBackend::~RecorderBackend() {
  const auto deadline = std::chrono::steady_clock::now() + kDestructionBound;
  implementation_->engine->shut_down(detail::Engine::Subscribers::can_be_awaited);
  if (implementation_->delivery) implementation_->delivery->end(deadline);
}

void RecorderBackend::submit(Command command, std::error_code& error) {
  const auto implementation = implementation_;
  error = implementation->submit(std::move(command)).code;
}

void RecorderBackend::submit(Command command) {
  const auto implementation = implementation_;
  detail::Outcome outcome = implementation->submit(std::move(command));
  if (outcome.code) throw RecorderError(outcome.code, std::move(outcome.sentence));
}

bool RecorderBackend::is_recording() const {
  return implementation_->engine->is_recording();
}

RecordingState RecorderBackend::state() const {
  return implementation_->engine->state();
}

std::filesystem::path RecorderBackend::get_session_path() const {
  return implementation_->engine->session_path().value_or(std::filesystem::path());
}

Subscription RecorderBackend::subscribe(EventFilter filter, EventCallback callback) {
  if (!callback) throw RecorderError(Errc::invalid_argument, detail::kNullCallback);
  return Subscription(std::make_unique<detail::DeliveryThread>(*implementation_->engine, filter, std::move(callback),
                                                               detail::DeliveryThread::Begins::at_once));
}

std::string RecorderBackend::last_error() const {
  const std::lock_guard lock(implementation_->mutex);
  return implementation_->last_error;
}

}  // namespace dictum
