#pragma once

#include <boost/describe/class.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "dictum/event.hpp"

/// What can be asked of a recorder, as values: what both flavours, the C API, the bindings and the terminal UI submit.
/// As JSON: `{"command":"set_muted","muted":true}`, the fields by the names of the members; the server has a route for
/// each, with its `kSummary`. What a command does, and its errors, stand with the call of its name, in
/// detail::Operations below.
namespace dictum {

struct StartRecording {
  static constexpr std::string_view kName = "start_recording";
  static constexpr std::string_view kSummary = "Begin a session; the answer comes once audio has been delivered";
  bool operator==(const StartRecording&) const = default;
};

/// Cancels a start that has not ended yet, which then ends with `Errc::cancelled`.
struct CancelStart {
  static constexpr std::string_view kName = "cancel_start";
  static constexpr std::string_view kSummary = "Cancel a start that has not ended yet";
  bool operator==(const CancelStart&) const = default;
};

struct StopRecording {
  static constexpr std::string_view kName = "stop_recording";
  static constexpr std::string_view kSummary =
      "End the session; the answer comes once its files are complete and its texts are there, or after drain_sec";
  std::optional<double> drain_sec{};  ///< negative: no limit; empty: as configured
  bool operator==(const StopRecording&) const = default;
};

struct PauseRecording {
  static constexpr std::string_view kName = "pause_recording";
  static constexpr std::string_view kSummary = "Pause, and hand the device back";
  bool operator==(const PauseRecording&) const = default;
};

struct ResumeRecording {
  static constexpr std::string_view kName = "resume_recording";
  static constexpr std::string_view kSummary = "Go on in the same session";
  bool operator==(const ResumeRecording&) const = default;
};

struct SetVADMode {
  static constexpr std::string_view kName = "set_vad_mode";
  static constexpr std::string_view kSummary = "Change the silence that ends a segment";
  VADMode mode{};
  bool operator==(const SetVADMode&) const = default;
};

struct SetMuted {
  static constexpr std::string_view kName = "set_muted";
  static constexpr std::string_view kSummary = "Record silence in place of the microphone, or no longer";
  bool muted{};
  bool operator==(const SetMuted&) const = default;
};

struct SetDevice {
  static constexpr std::string_view kName = "set_device";
  static constexpr std::string_view kSummary = "Change the microphone";
  std::string device{};  ///< as in `[capture] device`; empty: the default one
  bool operator==(const SetDevice&) const = default;
};

struct SetVocabulary {
  static constexpr std::string_view kName = "set_vocabulary";
  static constexpr std::string_view kSummary = "Replace the names and terms that are likely to be said";
  std::vector<std::string> vocabulary{};  ///< as `[transcription] vocabulary`, in place of all that was configured
  bool operator==(const SetVocabulary&) const = default;
};

struct CompleteNote {
  static constexpr std::string_view kName = "complete_note";
  static constexpr std::string_view kSummary = "End the open note";
  bool operator==(const CompleteNote&) const = default;
};

struct RetryFailed {
  static constexpr std::string_view kName = "retry_failed";
  static constexpr std::string_view kSummary = "Transcribe the failed segments of the newest session again";
  bool operator==(const RetryFailed&) const = default;
};

struct WaitUntilIdle {
  static constexpr std::string_view kName = "wait_until_idle";
  static constexpr std::string_view kSummary = "Wait until no segment waits for its text";
  bool operator==(const WaitUntilIdle&) const = default;
};

using Command = std::variant<StartRecording, CancelStart, StopRecording, PauseRecording, ResumeRecording, SetVADMode,
                             SetMuted, SetDevice, SetVocabulary, CompleteNote, RetryFailed, WaitUntilIdle>;

// The members that are written to JSON.
BOOST_DESCRIBE_STRUCT(StartRecording, (), ())
BOOST_DESCRIBE_STRUCT(CancelStart, (), ())
BOOST_DESCRIBE_STRUCT(StopRecording, (), (drain_sec))
BOOST_DESCRIBE_STRUCT(PauseRecording, (), ())
BOOST_DESCRIBE_STRUCT(ResumeRecording, (), ())
BOOST_DESCRIBE_STRUCT(SetVADMode, (), (mode))
BOOST_DESCRIBE_STRUCT(SetMuted, (), (muted))
BOOST_DESCRIBE_STRUCT(SetDevice, (), (device))
BOOST_DESCRIBE_STRUCT(SetVocabulary, (), (vocabulary))
BOOST_DESCRIBE_STRUCT(CompleteNote, (), ())
BOOST_DESCRIBE_STRUCT(RetryFailed, (), ())
BOOST_DESCRIBE_STRUCT(WaitUntilIdle, (), ())

namespace detail {

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

}  // namespace detail
}  // namespace dictum
