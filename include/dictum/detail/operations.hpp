#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dictum/command.hpp"

namespace dictum::detail {

/// The operations that RecorderBackend and AsyncRecorderBackend have in common: each submits one command. `how` says
/// how its end is awaited, and is what `submit` of the flavour takes behind the command: nothing or a
/// `std::error_code&` for RecorderBackend, nothing (`use_awaitable`) or a completion token for AsyncRecorderBackend.
///
/// Errors and thread safety are those of the flavour.
template <class Backend>
class Operations {
  using DrainTime = std::optional<std::chrono::duration<double>>;

 public:
  /// Begins a session; ends once the source has delivered. While starting or recording it succeeds as the same start;
  /// while stopping it waits for the stop.
  ///
  /// Errors: `invalid_state` while paused; otherwise what prevented the start, which then emits nothing and leaves
  /// nothing.
  template <class... How>
  auto start_recording(How&&... how) {
    return submit(StartRecording{}, std::forward<How>(how)...);
  }

  /// Ends the session. Capture is closed and the audio files are complete within two seconds; then outstanding texts
  /// are waited for, up to `drain` (empty: `[transcription] drain_sec`; negative: without limit), and subscribers up to
  /// two seconds each, but never the one whose callback is calling. Of several stops at once the first whose time is up
  /// ends the wait of all; a second stop gives a device or a disk that holds up the first one half a second more. While
  /// starting it cancels the start. When idle it succeeds.
  ///
  /// Errors: `resource_deadlock_would_occur` from inside a callback of a RecorderBackend.
  template <class... How>
  auto stop_recording(DrainTime drain, How&&... how) {
    return submit(StopRecording{drain ? std::optional(drain->count()) : std::nullopt}, std::forward<How>(how)...);
  }
  template <class How>
    requires(!std::is_convertible_v<How, DrainTime>)
  auto stop_recording(How&& how) {
    return submit(StopRecording{}, std::forward<How>(how));
  }
  auto stop_recording() { return submit(StopRecording{}); }

  /// Closes the open segment, marks a gap and hands the device back.
  ///
  /// Errors: `invalid_state` where nothing is recorded; `timed_out` where the device does not answer.
  template <class... How>
  auto pause_recording(How&&... how) {
    return submit(PauseRecording{}, std::forward<How>(how)...);
  }

  /// Goes on in the same session.
  ///
  /// Errors: `invalid_state` where nothing is recorded; where the device cannot be opened, its error, and the recording
  /// stays paused.
  template <class... How>
  auto resume_recording(How&&... how) {
    return submit(ResumeRecording{}, std::forward<How>(how)...);
  }

  /// The silence that ends a segment, from now on, in this session.
  ///
  /// Errors: `invalid_state` where nothing is recorded.
  template <class... How>
  auto set_vad_mode(VADMode mode, How&&... how) {
    return submit(SetVADMode{mode}, std::forward<How>(how)...);
  }

  /// While muted, silence is recorded in place of the microphone.
  ///
  /// Errors: `invalid_state` where nothing is recorded.
  template <class... How>
  auto set_muted(bool muted, How&&... how) {
    return submit(SetMuted{muted}, std::forward<How>(how)...);
  }

  /// The microphone from now on, as in `[capture] device`: also of the recording under way, which reports it with
  /// DeviceChanged and AudioGap, and otherwise of the next start. One that cannot be opened is reported as a
  /// RecorderFault, and the one before is kept.
  template <class... How>
  auto set_device(std::string device, How&&... how) {
    return submit(SetDevice{std::move(device)}, std::forward<How>(how)...);
  }

  /// The names and terms that are likely to be said, in place of all that were configured: for the segments of the
  /// recording under way that have no text yet, and for the next start. An engine without the ability "vocabulary"
  /// passes them over.
  ///
  /// Errors: `config_invalid` for what cannot be a term.
  template <class... How>
  auto set_vocabulary(std::vector<std::string> vocabulary, How&&... how) {
    return submit(SetVocabulary{std::move(vocabulary)}, std::forward<How>(how)...);
  }

  /// Ends the open note as "end note" would; none being open, it succeeds.
  ///
  /// Errors: `invalid_state` where nothing is recorded.
  template <class... How>
  auto complete_note(How&&... how) {
    return submit(CompleteNote{}, std::forward<How>(how)...);
  }

  /// Transcribes the failed segments of the newest session again, each as a new revision.
  ///
  /// Errors: where the session cannot be opened any more, what prevents it.
  template <class... How>
  auto retry_failed(How&&... how) {
    return submit(RetryFailed{}, std::forward<How>(how)...);
  }

  /// Ends when no segment waits for its text.
  template <class... How>
  auto wait_until_idle(How&&... how) {
    return submit(WaitUntilIdle{}, std::forward<How>(how)...);
  }

 private:
  friend Backend;  // and no other class: it must be the one that is named
  Operations() = default;
  ~Operations() = default;

  template <class... How>
  auto submit(Command command, How&&... how) {
    return static_cast<Backend*>(this)->submit(std::move(command), std::forward<How>(how)...);
  }
};

}  // namespace dictum::detail
