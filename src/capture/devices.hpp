#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dictum::capture {

/// A device to record from, as people and programs see it.
struct DeviceInfo {
  std::string id;           ///< stays the same over restarts and replugging, for example "pulse:alsa_input.usb-Jabra"
  std::string name;         ///< what the sound system calls it
  std::string description;  ///< for people
  int channels{};
  int sample_rate{};  ///< its native one
  bool is_default{};
  bool is_monitor{};  ///< records what the machine plays; not a microphone
  bool is_muted{};    ///< the sound system silences it: muted, or its volume is 0
  std::string backend;
};

/// The devices of the back end of that name, or, for "auto", of the first whose server answers. Throws RecorderError
/// where none can be listed (no server, no answer within two seconds, a back end that was not built). Blocks for at
/// most two seconds a back end. Safe from any thread.
std::vector<DeviceInfo> list_devices(std::string_view backend = "auto");

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
