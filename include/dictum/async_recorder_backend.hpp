#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
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

#include "dictum/command.hpp"
#include "dictum/config.hpp"
#include "dictum/detail/async_delivery.hpp"
#include "dictum/detail/completion.hpp"
#include "dictum/detail/engine.hpp"
#include "dictum/detail/unique_function.hpp"
#include "dictum/error.hpp"
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
/// never from inside the initiating call, with its associated allocator. Where the token is `use_awaitable`, an
/// operation that fails throws RecorderError, with the whole sentence for a person; any other token is given the code,
/// and `last_error()` has the sentence.
///
/// Threads: what may block (devices, files, the detector, workers) runs on `work`, a pool of the caller's with at least
/// four threads, or else on four threads of ours, named `dictum-work`, from the first start on. The caller's executor
/// runs nothing of ours but handlers and callbacks; it is woken for those only. Methods may be called from any thread.
/// A child process that `fork` makes has none of the threads: it must not use a recorder that was started before.
///
/// The loop: an operation or an EventStream's `next` that is awaited is outstanding work of its executor, so
/// `io_context::run` goes on until it completes. A recording and a callback are none: `run` would return between two
/// events. So await something until the recording shall end (`next`, a signal, a timer), or hold a work guard.
///
/// Callbacks: `event_callback` is any callable (copyable or not) that takes a `const Event&` and returns void or
/// `boost::asio::awaitable<void>`; what it returns decides. Calls are made on the executor, in order, one at a time,
/// each awaited before the next. An exception of a callback is reported as a RecorderFault; it stays subscribed. A null
/// one is the error `invalid_argument` of the constructor or of `subscribe`.
///
/// Cancellation: every type (terminal, partial, total) does the same. A cancelled start rolls back completely, then
/// completes with `Errc::cancelled`. A cancelled stop still ends the recording; it completes with `Errc::cancelled`
/// once capture is closed and the files are complete, without waiting for texts. A cancelled `wait_until_idle`
/// completes at once. The others are short and go on to their end.
class AsyncRecorderBackend : public detail::Operations<AsyncRecorderBackend> {
  template <class Callback>
  std::shared_ptr<detail::AsyncDelivery> subscribe_delivery(EventFilter filter, Callback&& callback) {
    if (detail::is_null<std::decay_t<Callback>>(callback)) {
      throw RecorderError(make_error_code(Errc::invalid_argument), detail::kNullCallback);
    }
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
  /// events of its end reach no callback that runs on this thread (stop first to receive them). What has no text yet is
  /// finished by the next start or by `dictum resume`.
  ~AsyncRecorderBackend() {
    engine_->shut_down(detail::Engine::Subscribers::cannot_be_awaited);
    if (delivery_) delivery_->close();
  }

  AsyncRecorderBackend(const AsyncRecorderBackend&) = delete;
  AsyncRecorderBackend& operator=(const AsyncRecorderBackend&) = delete;

  using executor_type = boost::asio::any_io_executor;
  executor_type get_executor() const { return executor_; }

  // The operations (start_recording, stop_recording, pause_recording, ...) are those of detail::Operations, each as
  // `operation(arguments)`, which is awaited, and as `operation(arguments, token)`.

  /// Any operation as a value.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto submit(Command command, Token&& token = {}) {
    if constexpr (std::is_same_v<std::decay_t<Token>, boost::asio::use_awaitable_t<>>) {
      return submit_or_throw(engine_, executor_, last_error_, std::move(command));
    } else {
      return initiate(engine_, executor_, last_error_, std::move(command), std::forward<Token>(token));
    }
  }

  /// True from a start until its stop is complete, pauses included.
  bool is_recording() const { return engine_->is_recording(); }

  /// The state of the newest RecordingStateChanged, or `starting`, or `idle` before the first session.
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
  template <class Token>
  static auto initiate(std::shared_ptr<detail::Engine> engine, boost::asio::any_io_executor executor,
                       std::shared_ptr<detail::LastError> last_error, Command command, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [command = std::move(command), engine = std::move(engine), executor = std::move(executor),
         last_error = std::move(last_error)](auto handler) {
          using Pending = detail::PendingHandler<decltype(handler)>;
          const auto pending = std::make_shared<Pending>(std::move(handler), executor, last_error);
          pending->on_cancel([weak = std::weak_ptr(engine), command](Pending& self) { cancel(weak, command, self); });
          engine->submit(command, [pending](detail::Outcome outcome) { pending->complete(std::move(outcome)); });
        },
        token);
  }

  /// Begins when it is awaited, as `use_awaitable` does. Throws the sentence of this operation, whatever others end
  /// with meanwhile.
  static boost::asio::awaitable<void> submit_or_throw(std::shared_ptr<detail::Engine> engine,
                                                      boost::asio::any_io_executor executor,
                                                      std::shared_ptr<detail::LastError> last_error, Command command) {
    const auto own_error = std::make_shared<detail::LastError>();
    const auto [code] = co_await initiate(std::move(engine), std::move(executor), own_error, std::move(command),
                                          boost::asio::as_tuple(boost::asio::use_awaitable));
    std::string sentence = own_error->get();
    if (code && sentence.empty()) sentence = code.message();
    last_error->keep(sentence);
    if (code) throw RecorderError(code, std::move(sentence));
  }

  /// What a cancellation does to a command under way.
  template <class Pending>
  static void cancel(const std::weak_ptr<detail::Engine>& weak, const Command& command, Pending& pending) {
    const auto engine = weak.lock();
    const auto ignore = [](const detail::Outcome&) {};
    if (std::holds_alternative<StartRecording>(command)) {
      if (engine) engine->submit(CancelStart{}, ignore);
    } else if (std::holds_alternative<StopRecording>(command)) {
      pending.mark_cancelled();
      if (engine) engine->submit(StopRecording{0.0}, ignore);
    } else if (std::holds_alternative<WaitUntilIdle>(command)) {
      pending.complete({make_error_code(Errc::cancelled), "The wait was cancelled."});
    }
  }

  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<detail::Engine> engine_;
  const std::shared_ptr<detail::LastError> last_error_ = std::make_shared<detail::LastError>();
  std::shared_ptr<detail::AsyncDelivery> delivery_;  // of event_callback
};

}  // namespace dictum
