#pragma once

#include <concepts>
#include <functional>
#include <optional>

#include "dictum/command.hpp"
#include "dictum/config.hpp"
#include "pipeline/capture_loop.hpp"
#include "recorder/recorder_core.hpp"

namespace dictum::recorder {

template <class Which, class... Commands>
concept IsOneOf = (std::same_as<Which, Commands> || ...);

/// Each command is one of two: the command runner carries it out by itself, as it does those named here, or it only
/// changes how a recording continues. A new one that has no rule does not compile.
template <class Which>
concept ChangesOnly = !IsOneOf<Which, StartRecording, CancelStart, StopRecording, PauseRecording, ResumeRecording,
                               RetryFailed, WaitUntilIdle>;

/// What a command means that changes how a recording continues, and nothing else: one function for each part that has
/// to know of it. An empty function: that part does not.
struct Change {
  enum class Applies {
    while_recording,  ///< an error where nothing is recorded
    whenever,         ///< where nothing is recorded, to the next start
    to_texts,         ///< the same, and to a session whose texts are still to come
  };

  Applies applies = Applies::while_recording;
  std::function<void(RecorderConfig&)> for_next_start{};
  std::function<void(RecorderCore&, RecorderCore::Actions&)> in_core{};  ///< on `loop`
  std::function<void(pipeline::CaptureLoop&)> in_capture{};              ///< on `listen`
};

/// Empty for a command that does more. Throws RecorderError(config_invalid) for a value that cannot be used.
///
/// Thread safety: a pure function.
std::optional<Change> change_of(const Command& command);

}  // namespace dictum::recorder
