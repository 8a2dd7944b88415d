#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "dictum/command.hpp"
#include "dictum/config.hpp"
#include "dictum/detail/unique_function.hpp"
#include "dictum/error.hpp"
#include "dictum/event.hpp"
#include "dictum/event_filter.hpp"
#include "dictum/export.hpp"

namespace dictum {

namespace detail {
class Engine;
class DeliveryThread;
}  // namespace detail

/// What is called with each event: any callable that takes a `const Event&`, copyable or not. What it throws is
/// reported as a RecorderFault, and it goes on being called.
using EventCallback = detail::UniqueFunction<void(const Event&)>;

/// A further subscriber of a RecorderBackend, until it is destroyed. Movable; may outlive the backend.
class DICTUM_API Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::unique_ptr<detail::DeliveryThread> delivery);
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;

  /// The callback is not called again once this returns, unless it is this callback that destroys it. A callback that
  /// does not return is left behind after two seconds.
  ~Subscription();

 private:
  std::unique_ptr<detail::DeliveryThread> delivery_;
};

/// The recorder, blocking flavour. The same recorder as AsyncRecorderBackend, with the same outputs: only the way to
/// wait differs.
///
/// Threads: every method may be called from any thread, from several at once, and from callbacks (but for
/// `stop_recording` and the destructor's exceptions below). Callbacks run on a thread of their own (named `delivery`),
/// one for `event_callback` and one for each subscription: in order, one at a time, never on the audio thread and never
/// under a lock, so a callback that is slow, or never returns, does not delay other subscribers. No thread exists
/// before the first start or subscription. A child process that `fork` makes has none of the threads: it must not use a
/// recorder that was started before, only make one of its own, or exec.
///
/// Errors: each operation has a form that throws RecorderError and one that takes a `std::error_code&`; `last_error()`
/// has the sentence for a person that belongs to the latter.
class DICTUM_API RecorderBackend : public detail::Operations<RecorderBackend> {
 public:
  /// Instant: opens no file or device, loads nothing, starts no thread. The configuration is checked at the first
  /// start.
  explicit RecorderBackend(RecorderConfig config = {}, EventCallback event_callback = {});

  /// Ends a recording as `stop_recording` does, without draining, within two seconds. What has no text yet is finished
  /// by the next start or by `dictum resume`.
  ~RecorderBackend();

  /// For bindings: a handle of an engine that somebody else subscribes to.
  explicit RecorderBackend(std::shared_ptr<detail::Engine> engine);

  RecorderBackend(const RecorderBackend&) = delete;
  RecorderBackend& operator=(const RecorderBackend&) = delete;

  // The operations (start_recording, stop_recording, pause_recording, ...) are those of detail::Operations, each as
  // `operation(arguments)`, which throws RecorderError, and as `operation(arguments, std::error_code&)`. They return
  // when the operation has ended. From inside a callback of this backend `stop_recording` is the error
  // `resource_deadlock_would_occur`.

  /// Any operation as a value.
  void submit(Command command);
  void submit(Command command, std::error_code& error);

  /// True from a start until its stop is complete, pauses included.
  bool is_recording() const;

  /// The state of the newest RecordingStateChanged, or `starting`, or `idle` before the first session.
  RecordingState state() const;

  /// The folder of the newest session; empty before the first start.
  std::filesystem::path get_session_path() const;

  /// One more subscriber, from now on; see Subscription. Makes its thread at once.
  ///
  /// Errors: RecorderError: `invalid_argument` for a null callback; `internal` where the system gives no thread.
  Subscription subscribe(EventFilter filter, EventCallback callback);

  /// The sentence that belongs to the newest `std::error_code` of this backend; empty after success.
  std::string last_error() const;

 private:
  struct Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace dictum
