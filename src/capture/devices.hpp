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
  bool is_monitor{};  ///< what the machine plays, not a microphone
  std::string backend;
};

/// The devices of a backend: "pulse", "portaudio", or "auto" for the former where its server answers and the latter
/// elsewhere. Throws RecorderError where there is nothing that could tell (no server, a server that does not answer
/// within two seconds, a backend that was not built). Blocks that long at most. Safe from any thread.
std::vector<DeviceInfo> list_devices(std::string_view backend = "auto");

/// The device that is meant by an id, a name, or a part (of any case) of id, name or description that only one has.
/// Throws RecorderError: input_not_found with what there is, device_ambiguous with what matches.
const DeviceInfo& resolve_device(const std::vector<DeviceInfo>& devices, std::string_view wanted);

/// The device to open: the wanted one; none wanted: the default. `previous` is the name of the device that a recording
/// has just lost, empty at its start; a recording that lost the wanted one takes the default until it ends. A monitor
/// is taken only where it is wanted, or chosen as the default beside real microphones, or was recorded before: to go on
/// deaf is worse than to wait. Throws as `resolve_device` does.
const DeviceInfo& choose_device(const std::vector<DeviceInfo>& devices, std::string_view wanted,
                                std::string_view previous = {});

}  // namespace dictum::capture
