#pragma once

#include <memory>
#include <string>

#include "dictum/clock.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// A live source. `backend` is the name of a back end, or "auto" for the first whose server answers when the source is
/// opened. `device` is an id, a name or a unique part of it; empty: the default. Opens no device yet.
/// Throws RecorderError(invalid_argument) for an unknown back end.
std::unique_ptr<AudioSource> make_microphone(const std::string& backend, std::string device,
                                             std::shared_ptr<const Clock> clock);

}  // namespace dictum::capture
