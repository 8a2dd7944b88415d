#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "capture/capture_ring.hpp"
#include "capture/device_stream.hpp"
#include "capture/devices.hpp"

/// Recording through PulseAudio's asynchronous interface, which PipeWire serves too.
namespace dictum::capture {

/// Begins to connect and returns at once.
///
/// The device's thread runs the library's loop, and everything of the library lives and dies on it. The server says at
/// once when it dies, and when a source is suspended, moved or removed; it says nothing when it is stopped or hangs.
std::shared_ptr<DeviceStream> connect_pulse(const StreamRequest& request);

/// Throws RecorderError: device_lost where no server answers, timed_out where it does not in time.
std::vector<DeviceInfo> list_pulse_devices(std::chrono::milliseconds limit);

/// All that the read callback does with a fragment, between the library's peek and drop: the fenced function. Null data
/// is a hole that the server left.
void take_pulse_fragment(CaptureRing& ring, const void* data, std::size_t bytes, std::size_t frame_bytes) noexcept;

}  // namespace dictum::capture
