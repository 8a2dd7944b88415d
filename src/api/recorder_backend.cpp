#include "dictum/recorder_backend.hpp"

#include <future>
#include <mutex>
#include <utility>

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
struct RecorderBackend::Implementation : std::enable_shared_from_this<Implementation> {
  std::shared_ptr<detail::Engine> engine;
  std::unique_ptr<detail::DeliveryThread> delivery;  // of event_callback; null where there is none
  mutable std::mutex mutex;
  std::string last_error;

  /// Makes a call of the engine's and waits for its end.
  template <class Call>
  void wait(Call call, std::error_code& error) {
    const auto self = shared_from_this();
    std::promise<detail::Outcome> promise;
    auto future = promise.get_future();
    call(detail::Completion([&promise](detail::Outcome outcome) { promise.set_value(std::move(outcome)); }));
    keep(future.get(), error);
  }

  void keep(detail::Outcome outcome, std::error_code& error) {
    error = outcome.code;
    const std::lock_guard lock(mutex);
    last_error = outcome.code ? std::move(outcome.sentence) : std::string();
  }

  template <class Call>
  void wait_or_throw(Call call) {
    const auto self = shared_from_this();
    std::error_code error;
    call(error);
    if (!error) return;
    const std::lock_guard lock(mutex);
    throw RecorderError(error, last_error);
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

void RecorderBackend::start_recording(std::error_code& error) {
  implementation_->wait([this](detail::Completion done) { implementation_->engine->start(std::move(done)); }, error);
}

void RecorderBackend::start_recording() {
  implementation_->wait_or_throw([this](std::error_code& error) { start_recording(error); });
}

void RecorderBackend::stop_recording(std::optional<std::chrono::duration<double>> drain, std::error_code& error) {
  if (detail::current_delivery() != nullptr && implementation_->engine->delivers(detail::current_delivery())) {
    implementation_->keep({make_error_code(Errc::resource_deadlock_would_occur),
                           "stop_recording was called from inside a callback, which it would wait for: call it from "
                           "another thread, or use AsyncRecorderBackend."},
                          error);
    return;
  }
  implementation_->wait(
      [this, drain](detail::Completion done) { implementation_->engine->stop(drain, std::move(done)); }, error);
}

void RecorderBackend::stop_recording(std::optional<std::chrono::duration<double>> drain) {
  implementation_->wait_or_throw([this, drain](std::error_code& error) { stop_recording(drain, error); });
}

void RecorderBackend::pause_recording(std::error_code& error) {
  implementation_->wait([this](detail::Completion done) { implementation_->engine->pause(std::move(done)); }, error);
}

void RecorderBackend::pause_recording() {
  implementation_->wait_or_throw([this](std::error_code& error) { pause_recording(error); });
}

void RecorderBackend::resume_recording(std::error_code& error) {
  implementation_->wait([this](detail::Completion done) { implementation_->engine->resume(std::move(done)); }, error);
}

void RecorderBackend::resume_recording() {
  implementation_->wait_or_throw([this](std::error_code& error) { resume_recording(error); });
}

void RecorderBackend::set_vad_mode(VADMode mode, std::error_code& error) {
  implementation_->wait(
      [this, mode](detail::Completion done) { implementation_->engine->set_vad_mode(mode, std::move(done)); }, error);
}

void RecorderBackend::set_vad_mode(VADMode mode) {
  implementation_->wait_or_throw([this, mode](std::error_code& error) { set_vad_mode(mode, error); });
}

void RecorderBackend::set_muted(bool muted, std::error_code& error) {
  implementation_->wait(
      [this, muted](detail::Completion done) { implementation_->engine->set_muted(muted, std::move(done)); }, error);
}

void RecorderBackend::set_muted(bool muted) {
  implementation_->wait_or_throw([this, muted](std::error_code& error) { set_muted(muted, error); });
}

void RecorderBackend::set_device(const std::string& device, std::error_code& error) {
  implementation_->wait(
      [this, &device](detail::Completion done) { implementation_->engine->set_device(device, std::move(done)); },
      error);
}

void RecorderBackend::set_device(const std::string& device) {
  implementation_->wait_or_throw([this, &device](std::error_code& error) { set_device(device, error); });
}

void RecorderBackend::complete_note(std::error_code& error) {
  implementation_->wait([this](detail::Completion done) { implementation_->engine->complete_note(std::move(done)); },
                        error);
}

void RecorderBackend::complete_note() {
  implementation_->wait_or_throw([this](std::error_code& error) { complete_note(error); });
}

void RecorderBackend::retry_failed(std::error_code& error) {
  implementation_->wait([this](detail::Completion done) { implementation_->engine->retry_failed(std::move(done)); },
                        error);
}

void RecorderBackend::retry_failed() {
  implementation_->wait_or_throw([this](std::error_code& error) { retry_failed(error); });
}

void RecorderBackend::wait_until_idle() {
  std::error_code never;
  implementation_->wait([this](detail::Completion done) { implementation_->engine->wait_until_idle(std::move(done)); },
                        never);
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
  return Subscription(std::make_unique<detail::DeliveryThread>(*implementation_->engine, filter, std::move(callback),
                                                               detail::DeliveryThread::Begins::at_once));
}

std::string RecorderBackend::last_error() const {
  const std::lock_guard lock(implementation_->mutex);
  return implementation_->last_error;
}

}  // namespace dictum
