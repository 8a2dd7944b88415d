#pragma once

#include <string_view>
#include <vector>

#include "dictum/devices.hpp"

namespace dictum::capture {

/// The device with that id or name, or the only one with that part (of any case) in its id or description.
/// Throws RecorderError: input_not_found and lists the devices, device_ambiguous and lists those that match.
const DeviceInfo& resolve_device(const std::vector<DeviceInfo>& devices, std::string_view wanted);

/// The device to open: the wanted one, or the default where none is wanted. `previous` is the name of the device that
/// a recording has just lost, empty at its start; a recording that lost the wanted device takes the default until it
/// ends. A monitor is taken only where it is wanted, or is the default beside real microphones at the start, or was
/// recorded before: to wait for a microphone is better than to record what the machine plays. Throws as
/// `resolve_device` does.
const DeviceInfo& choose_device(const std::vector<DeviceInfo>& devices, std::string_view wanted,
                                std::string_view previous = {});

}  // namespace dictum::capture
