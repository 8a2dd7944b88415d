#pragma once

#include <boost/describe/class.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/export.hpp"

/// The microphones of this machine.
namespace dictum {

/// A device to record from, as people and programs see it.
struct DeviceInfo {
  std::string id;  ///< for `capture.device`; stays the same over restarts and replugging: "pulse:alsa_input.usb-Jabra"
  std::string name;         ///< what the sound system calls it
  std::string description;  ///< for people
  int channels{};
  int sample_rate{};  ///< its native one
  bool is_default{};
  bool is_monitor{};  ///< records what the machine plays; not a microphone
  bool is_muted{};    ///< the sound system silences it: muted, or its volume is 0
  std::string backend;
};

// The members that are written to JSON.
BOOST_DESCRIBE_STRUCT(DeviceInfo, (),
                      (id, name, description, channels, sample_rate, is_default, is_monitor, is_muted, backend))

/// The devices of the back end of that name, or, for "auto", of the first whose server answers. Blocks for at most two
/// seconds a back end.
///
/// Errors: RecorderError where none can be listed: `device_lost` without a server, `timed_out` where it does not
/// answer, `input_not_found` for a back end that was not built, `invalid_argument` for a name that is none.
///
/// Thread safety: any thread.
DICTUM_API std::vector<DeviceInfo> list_devices(std::string_view backend = "auto");

/// The valid values of `capture.backend`: "auto" and the name of every back end.
DICTUM_API std::vector<std::string> device_backends();

}  // namespace dictum
