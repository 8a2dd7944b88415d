#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

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
/// under a lock, so a callback that is slow, or never returns, delays nobody but itself. No thread exists before the
/// first start or subscription.
///
/// Errors: each call has a form that throws RecorderError and one that takes a `std::error_code&`; `last_error()` has
/// the sentence for a person that belongs to the latter.
class DICTUM_API RecorderBackend {
 public:
  /// Instant: opens no file or device, loads nothing, starts no thread. The configuration is checked at the first
  /// start.
  explicit RecorderBackend(RecorderConfig config = {}, EventCallback event_callback = {});

  /// Ends a recording as `stop_recording` does, without draining, within two seconds. What has no text yet is finished
  /// by the next start or by `dictum resume`.
  ~RecorderBackend();

  /// For bindings: a front of an engine that somebody else subscribes to.
  explicit RecorderBackend(std::shared_ptr<detail::Engine> engine);

  RecorderBackend(const RecorderBackend&) = delete;
  RecorderBackend& operator=(const RecorderBackend&) = delete;

  /// Begins a session; returns once the source has delivered. While starting or recording it succeeds as the same
  /// start; while paused it is the error `invalid_state`; while stopping it waits for the stop. A start that fails
  /// emits nothing and leaves nothing.
  void start_recording();
  void start_recording(std::error_code& error);

  /// Ends the session. Capture is closed and the audio files are complete within two seconds; then outstanding texts
  /// are waited for, up to `drain` (default: `[transcription] drain_sec`; negative: without limit), and subscribers up
  /// to two seconds each. Of several stops at once the first whose time is up ends the wait of all. While starting it
  /// cancels the start. When idle it succeeds. From inside a callback of this backend it is the error
  /// `resource_deadlock_would_occur`.
  void stop_recording(std::optional<std::chrono::duration<double>> drain = std::nullopt);
  void stop_recording(std::optional<std::chrono::duration<double>> drain, std::error_code& error);
  void stop_recording(std::error_code& error) { stop_recording(std::nullopt, error); }

  /// Closes the open segment, marks a gap and hands the device back. Error `invalid_state` where nothing is recorded.
  void pause_recording();
  void pause_recording(std::error_code& error);

  /// Goes on in the same session. Error `invalid_state` where nothing is paused; where the device cannot be opened, its
  /// error, and the recording stays paused.
  void resume_recording();
  void resume_recording(std::error_code& error);

  /// The silence that ends a segment, from now on, in this session. Error `invalid_state` where nothing is recorded.
  void set_vad_mode(VADMode mode);
  void set_vad_mode(VADMode mode, std::error_code& error);

  /// While muted, silence is recorded in place of the microphone. Error `invalid_state` where nothing is recorded.
  void set_muted(bool muted);
  void set_muted(bool muted, std::error_code& error);

  /// The microphone from now on, as in `[capture] device`: also of the recording under way, which tells of it with
  /// DeviceChanged and AudioGap, and otherwise of the next start. One that cannot be opened is told as a RecorderFault,
  /// and the one before is kept.
  void set_device(const std::string& device);
  void set_device(const std::string& device, std::error_code& error);

  /// Ends the open note as "end note" would; none being open, it succeeds. Error `invalid_state` where nothing is
  /// recorded.
  void complete_note();
  void complete_note(std::error_code& error);

  /// Transcribes the failed segments of the newest session again, each as a new revision.
  void retry_failed();
  void retry_failed(std::error_code& error);

  /// Returns when no segment waits for its text.
  void wait_until_idle();

  /// True from a start until its stop is complete, pauses included.
  bool is_recording() const;

  /// The state that the newest RecordingStateChanged told, or `starting`, or `idle` before the first session.
  RecordingState state() const;

  /// The folder of the newest session; empty before the first start.
  std::filesystem::path get_session_path() const;

  /// One more subscriber, from now on; see Subscription. Makes its thread at once; throws RecorderError(internal) where
  /// the system gives none.
  Subscription subscribe(EventFilter filter, EventCallback callback);

  /// The sentence that belongs to the newest `std::error_code` of this backend; empty after success.
  std::string last_error() const;

 private:
  struct Implementation;
  std::shared_ptr<Implementation> implementation_;
};

}  // namespace dictum
