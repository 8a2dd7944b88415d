#pragma once

#include "capture/capture_ring.hpp"

/// Recording through PortAudio, which serves whatever the machine has: ALSA, CoreAudio, WASAPI. The back end itself is
/// in "capture/backend.hpp".
///
/// PortAudio reports nothing when a device dies: its callbacks stop, and its calls may block until the device or its
/// server lives again. The device's thread makes all of those calls, and is abandoned where they hang.
namespace dictum::capture {

/// Whether it was there when this library was built.
bool has_portaudio() noexcept;

/// All that the stream callback does: the fenced function.
void take_portaudio_block(CaptureRing& ring, const void* input, unsigned long frames, bool overflowed) noexcept;

}  // namespace dictum::capture
