#pragma once

#include <memory>

#include "dictum/clock.hpp"
#include "dictum/config.hpp"

namespace dictum::capture {

/// The source that the configuration names: the user's own, a file, standard input, or the microphone. Opens no device
/// yet. Throws RecorderError.
std::unique_ptr<AudioSource> make_source(const RecorderConfig& config, std::shared_ptr<const Clock> clock);

}  // namespace dictum::capture
