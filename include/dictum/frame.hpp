#pragma once

#include <cstdint>

namespace dictum {

/// A position on the recording's one clock, or a length on it: frames (one sample of every channel) since the start of
/// the session, at the capture rate, gaps included. Signed, so that differences are safe.
using Frame = std::int64_t;

}  // namespace dictum
