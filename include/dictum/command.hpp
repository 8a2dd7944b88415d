#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dictum/event.hpp"

/// What can be asked of a recorder, as values: what both flavours, the C API, the bindings and the terminal UI submit.
/// As JSON: `{"command":"set_muted","muted":true}`, the fields by the names of the members.
namespace dictum {

/// Begins a session. Ends when audio has been delivered, or with the error that prevented it.
struct StartRecording {
  static constexpr std::string_view kName = "start_recording";
  bool operator==(const StartRecording&) const = default;
};

/// Cancels a start that has not ended yet, which then ends with `Errc::cancelled`.
struct CancelStart {
  static constexpr std::string_view kName = "cancel_start";
  bool operator==(const CancelStart&) const = default;
};

/// Ends the session, its files, and up to `drain_sec` its transcription.
struct StopRecording {
  static constexpr std::string_view kName = "stop_recording";
  std::optional<double> drain_sec{};  ///< negative: no limit; empty: as configured
  bool operator==(const StopRecording&) const = default;
};

struct PauseRecording {
  static constexpr std::string_view kName = "pause_recording";
  bool operator==(const PauseRecording&) const = default;
};

struct ResumeRecording {
  static constexpr std::string_view kName = "resume_recording";
  bool operator==(const ResumeRecording&) const = default;
};

struct SetVADMode {
  static constexpr std::string_view kName = "set_vad_mode";
  VADMode mode{};
  bool operator==(const SetVADMode&) const = default;
};

struct SetMuted {
  static constexpr std::string_view kName = "set_muted";
  bool muted{};
  bool operator==(const SetMuted&) const = default;
};

struct SetDevice {
  static constexpr std::string_view kName = "set_device";
  std::string device{};  ///< as in `[capture] device`; empty: the default one
  bool operator==(const SetDevice&) const = default;
};

struct SetVocabulary {
  static constexpr std::string_view kName = "set_vocabulary";
  std::vector<std::string> vocabulary{};  ///< as `[transcription] vocabulary`, in place of all that was configured
  bool operator==(const SetVocabulary&) const = default;
};

struct CompleteNote {
  static constexpr std::string_view kName = "complete_note";
  bool operator==(const CompleteNote&) const = default;
};

struct RetryFailed {
  static constexpr std::string_view kName = "retry_failed";
  bool operator==(const RetryFailed&) const = default;
};

/// Ends when no segment waits for its text.
struct WaitUntilIdle {
  static constexpr std::string_view kName = "wait_until_idle";
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

}  // namespace dictum
