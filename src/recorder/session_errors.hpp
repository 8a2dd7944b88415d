#pragma once

#include "dictum/error.hpp"

/// The errors of calls that find a session in another state than they need.
namespace dictum::recorder {

/// Of a call that needs a recording.
inline RecorderError not_recording() {
  return {Errc::invalid_state, "Nothing is being recorded."};
}

/// Of a start that does not go on.
inline RecorderError start_was_cancelled() {
  return {Errc::cancelled, "The start was cancelled."};
}

}  // namespace dictum::recorder
