#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "capture/capture_ring.hpp"
#include "capture/device_stream.hpp"
#include "capture/devices.hpp"

/// Recording through PortAudio, which speaks to whatever the machine has: ALSA, CoreAudio, WASAPI.
namespace dictum::capture {

/// Whether it was there when this library was built.
bool has_portaudio() noexcept;

/// Begins to connect and returns at once.
///
/// PortAudio says nothing of a device that dies: its callbacks stop, and its calls may block until the device or its
/// server lives again. The device's thread makes all of those calls, and is the one left behind where they hang.
std::shared_ptr<DeviceStream> connect_portaudio(const StreamRequest& request);

/// Throws RecorderError: input_not_found where it was not built, timed_out where a device does not let it answer.
std::vector<DeviceInfo> list_portaudio_devices(std::chrono::milliseconds limit);

/// All that the stream callback does: the fenced function.
void take_portaudio_block(CaptureRing& ring, const void* input, unsigned long frames, bool overflowed) noexcept;

}  // namespace dictum::capture
