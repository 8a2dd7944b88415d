#pragma once

#include <cstddef>

#include "capture/capture_ring.hpp"

/// Recording through PulseAudio's asynchronous interface, which PipeWire serves too. The back end itself is in
/// "capture/backend.hpp".
///
/// The device's thread runs the library's loop, and every object of the library is created and destroyed on it. The
/// server reports at once when it dies, and when a source is suspended, moved, muted or removed; it reports nothing
/// when it is stopped or hangs.
namespace dictum::capture {

/// All that the read callback does with a fragment, between the library's peek and drop: the fenced function. Null data
/// is a hole that the server left.
void take_pulse_fragment(CaptureRing& ring, const void* data, std::size_t bytes, std::size_t frame_bytes) noexcept;

}  // namespace dictum::capture
