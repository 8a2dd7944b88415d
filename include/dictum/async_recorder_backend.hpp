#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "dictum/config.hpp"
#include "dictum/detail/async_delivery.hpp"
#include "dictum/detail/completion.hpp"
#include "dictum/detail/engine.hpp"
#include "dictum/event.hpp"
#include "dictum/event_filter.hpp"
#include "dictum/event_stream.hpp"

namespace dictum {

/// A further subscriber of an AsyncRecorderBackend, until it is destroyed. Movable; may outlive the backend.
class AsyncSubscription {
 public:
  AsyncSubscription() = default;
  explicit AsyncSubscription(std::shared_ptr<detail::AsyncDelivery> delivery) : delivery_(std::move(delivery)) {}
  AsyncSubscription(AsyncSubscription&&) noexcept = default;
  AsyncSubscription& operator=(AsyncSubscription&& other) noexcept {
    std::swap(delivery_, other.delivery_);
    return *this;
  }

  /// No call begins after this. A coroutine callback that is under way is not cancelled.
  ~AsyncSubscription() {
    if (delivery_) delivery_->close();
  }

 private:
  std::shared_ptr<detail::AsyncDelivery> delivery_;
};

/// The recorder, for programs on an Asio event loop. The same recorder as RecorderBackend, with the same outputs: only
/// the way to wait differs.
///
/// Operations: each takes any completion token for `void(boost::system::error_code)`, `use_awaitable` by default. Its
/// handler is called once, on its associated executor (by default the one passed to the constructor) and nowhere else,
/// never from inside the initiating call, with its associated allocator.
///
/// Threads: what may block (devices, files, the detector, workers) runs on `work`, a pool of the caller's with at least
/// three threads, or else on three threads of ours, named `dictum-work`, from the first start on. The caller's executor
/// runs nothing of ours but handlers and callbacks; it is woken for those only. Methods may be called from any thread.
///
/// Callbacks: `event_callback` is any callable (copyable or not) that takes a `const Event&` and returns void or
/// `boost::asio::awaitable<void>`; what it returns decides. Calls are made on the executor, in order, one at a time,
/// each awaited before the next. What a callback throws is told as a RecorderFault, and it goes on being called.
///
/// Cancellation: every type (terminal, partial, total) does the same. A cancelled start rolls back completely, then
/// completes with `Errc::cancelled`. A cancelled stop still ends the recording; it completes with `Errc::cancelled`
/// once capture is closed and the files are complete, without waiting for texts. A cancelled `wait_until_idle`
/// completes at once. The others are short and go on to their end.
class AsyncRecorderBackend {
  // What every operation is made of; first, because a function whose type is deduced must stand before its use.
  template <class Pending>
  static detail::Completion finish(Pending& pending) {
    return [keep = pending.shared_from_this()](detail::Outcome outcome) { keep->complete(std::move(outcome)); };
  }

  template <class Begin, class Token>
  auto initiate(Begin begin, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [begin = std::move(begin), engine = engine_, executor = executor_, last_error = last_error_](auto handler) {
          auto pending =
              std::make_shared<detail::PendingHandler<decltype(handler)>>(std::move(handler), executor, last_error);
          begin(*engine, engine, *pending);
        },
        token);
  }

  template <class Begin, class Token>
  auto simply(Begin begin, Token&& token) {
    return initiate([begin = std::move(begin)](detail::Engine& engine, const auto&,
                                               auto& pending) { begin(engine, finish(pending)); },
                    std::forward<Token>(token));
  }

  template <class Callback>
  std::shared_ptr<detail::AsyncDelivery> subscribe_delivery(EventFilter filter, Callback&& callback) {
    return detail::AsyncDelivery::make(
        *engine_, executor_, filter,
        detail::to_async_handler<std::decay_t<Callback>>(std::forward<Callback>(callback)));
  }

 public:
  /// Instant: opens no file or device, loads nothing, starts no thread. The configuration is checked at the first
  /// start.
  template <class Callback>
    requires std::is_invocable_v<std::decay_t<Callback>&, const Event&>
  AsyncRecorderBackend(boost::asio::any_io_executor executor, RecorderConfig config, Callback&& event_callback,
                       boost::asio::any_io_executor work = {})
      : AsyncRecorderBackend(std::move(executor), std::move(config), std::move(work)) {
    delivery_ = subscribe_delivery(EventFilter::all(), std::forward<Callback>(event_callback));
  }

  /// Without a callback: `subscribe` or `events` give the events.
  explicit AsyncRecorderBackend(boost::asio::any_io_executor executor, RecorderConfig config = {},
                                boost::asio::any_io_executor work = {})
      : executor_(std::move(executor)), engine_(detail::make_engine(std::move(config), std::move(work))) {}

  /// Ends a recording as `stop_recording` does, without draining, within two seconds, for which it blocks; so the
  /// events of its end are told to nobody who runs on this thread (stop first to hear them). What has no text yet is
  /// finished by the next start or by `dictum resume`.
  ~AsyncRecorderBackend() {
    engine_->shut_down(detail::Engine::Subscribers::cannot_be_awaited);
    if (delivery_) delivery_->close();
  }

  AsyncRecorderBackend(const AsyncRecorderBackend&) = delete;
  AsyncRecorderBackend& operator=(const AsyncRecorderBackend&) = delete;

  using executor_type = boost::asio::any_io_executor;
  executor_type get_executor() const { return executor_; }

  /// Begins a session; completes once the source has delivered. While starting or recording it succeeds as the same
  /// start; while paused it is the error `invalid_state`; while stopping it waits for the stop. A start that fails
  /// emits nothing and leaves nothing.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto start_recording(Token&& token = {}) {
    return initiate(
        [](detail::Engine& engine, const std::shared_ptr<detail::Engine>& shared, auto& pending) {
          pending.on_cancel([weak = std::weak_ptr(shared)](auto&) {
            if (const auto alive = weak.lock()) alive->cancel_start();
          });
          engine.start(finish(pending));
        },
        std::forward<Token>(token));
  }

  /// Ends the session. Capture is closed and the audio files are complete within two seconds; then outstanding texts
  /// are waited for, up to `drain` (empty: `[transcription] drain_sec`; negative: without limit), and subscribers up to
  /// two seconds each, but never the one whose callback is calling. Of several stops at once the first whose time is up
  /// ends the wait of all. While starting it cancels the start. When idle it succeeds.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto stop_recording(std::optional<std::chrono::duration<double>> drain, Token&& token = {}) {
    return initiate(
        [drain](detail::Engine& engine, const std::shared_ptr<detail::Engine>& shared, auto& pending) {
          pending.on_cancel([weak = std::weak_ptr(shared)](auto& self) {
            self.mark_cancelled();
            if (const auto alive = weak.lock()) alive->stop(std::chrono::duration<double>(0), [](detail::Outcome) {});
          });
          engine.stop(drain, finish(pending));
        },
        std::forward<Token>(token));
  }

  auto stop_recording() { return stop_recording(std::nullopt, boost::asio::use_awaitable); }

  template <class Token>
    requires(!std::is_convertible_v<Token, std::optional<std::chrono::duration<double>>>)
  auto stop_recording(Token&& token) {
    return stop_recording(std::nullopt, std::forward<Token>(token));
  }

  /// Closes the open segment, marks a gap and hands the device back. Error `invalid_state` where nothing is recorded.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto pause_recording(Token&& token = {}) {
    return simply([](detail::Engine& engine, detail::Completion done) { engine.pause(std::move(done)); },
                  std::forward<Token>(token));
  }

  /// Goes on in the same session. Error `invalid_state` where nothing is paused; where the device cannot be opened, its
  /// error, and the recording stays paused.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto resume_recording(Token&& token = {}) {
    return simply([](detail::Engine& engine, detail::Completion done) { engine.resume(std::move(done)); },
                  std::forward<Token>(token));
  }

  /// The silence that ends a segment, from now on, in this session. Error `invalid_state` where nothing is recorded.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto set_vad_mode(VADMode mode, Token&& token = {}) {
    return simply(
        [mode](detail::Engine& engine, detail::Completion done) { engine.set_vad_mode(mode, std::move(done)); },
        std::forward<Token>(token));
  }

  /// While muted, silence is recorded in place of the microphone. Error `invalid_state` where nothing is recorded.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto set_muted(bool muted, Token&& token = {}) {
    return simply(
        [muted](detail::Engine& engine, detail::Completion done) { engine.set_muted(muted, std::move(done)); },
        std::forward<Token>(token));
  }

  /// The microphone from now on, as in `[capture] device`: also of the recording under way, which tells of it with
  /// DeviceChanged and AudioGap, and otherwise of the next start. One that cannot be opened is told as a RecorderFault,
  /// and the one before is kept.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto set_device(std::string device, Token&& token = {}) {
    return simply([device = std::move(device)](detail::Engine& engine,
                                               detail::Completion done) { engine.set_device(device, std::move(done)); },
                  std::forward<Token>(token));
  }

  /// Ends the open note as "end note" would; none being open, it succeeds. Error `invalid_state` where nothing is
  /// recorded.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto complete_note(Token&& token = {}) {
    return simply([](detail::Engine& engine, detail::Completion done) { engine.complete_note(std::move(done)); },
                  std::forward<Token>(token));
  }

  /// Transcribes the failed segments of the newest session again, each as a new revision.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto retry_failed(Token&& token = {}) {
    return simply([](detail::Engine& engine, detail::Completion done) { engine.retry_failed(std::move(done)); },
                  std::forward<Token>(token));
  }

  /// Completes when no segment waits for its text.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto wait_until_idle(Token&& token = {}) {
    return initiate(
        [](detail::Engine& engine, const std::shared_ptr<detail::Engine>&, auto& pending) {
          pending.on_cancel(
              [](auto& self) { self.complete({make_error_code(Errc::cancelled), "The wait was cancelled."}); });
          engine.wait_until_idle(finish(pending));
        },
        std::forward<Token>(token));
  }

  /// True from a start until its stop is complete, pauses included.
  bool is_recording() const { return engine_->is_recording(); }

  /// The state that the newest RecordingStateChanged told, or `starting`, or `idle` before the first session.
  RecordingState state() const { return engine_->state(); }

  /// The folder of the newest session; empty before the first start.
  std::filesystem::path get_session_path() const { return engine_->session_path().value_or(std::filesystem::path()); }

  /// One more subscriber, from now on; its callback is as the constructor's. See AsyncSubscription.
  template <class Callback>
  [[nodiscard]] AsyncSubscription subscribe(EventFilter filter, Callback&& callback) {
    return AsyncSubscription(subscribe_delivery(filter, std::forward<Callback>(callback)));
  }

  /// The events as something to await, from now on.
  [[nodiscard]] EventStream events(EventFilter filter = EventFilter::journaled()) {
    return EventStream(*engine_, executor_, filter);
  }

  /// The sentence for a person that belongs to the newest error of an operation; empty after success.
  std::string last_error() const { return last_error_->get(); }

 private:
  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<detail::Engine> engine_;
  const std::shared_ptr<detail::LastError> last_error_ = std::make_shared<detail::LastError>();
  std::shared_ptr<detail::AsyncDelivery> delivery_;  // of event_callback
};

}  // namespace dictum
