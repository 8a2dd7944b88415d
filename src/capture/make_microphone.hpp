#pragma once

#include <memory>
#include <string>

#include "dictum/clock.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// A live source. `backend` is "pulse", "portaudio", or "auto": the former where its server answers when the source is
/// opened, else the latter. `device` is an id, a name or a unique part of it; empty: the default. Touches no device.
/// Throws RecorderError(invalid_argument) for another backend.
std::unique_ptr<AudioSource> make_microphone(const std::string& backend, std::string device,
                                             std::shared_ptr<const Clock> clock);

}  // namespace dictum::capture
