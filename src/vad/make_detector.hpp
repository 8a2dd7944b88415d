#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "dictum/config.hpp"
#include "dictum/event.hpp"
#include "dictum/vad.hpp"

namespace dictum::vad {

/// The detector that the configuration names: the user's own or a built-in one, and a warning where it is not the one
/// that was asked for. The weights are read from the program itself. Throws RecorderError.
std::pair<std::unique_ptr<VoiceActivityDetector>, std::optional<EventError>> make_detector(
    const RecorderConfig& config);

}  // namespace dictum::vad
