#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capture/device_stream.hpp"
#include "capture/devices.hpp"

namespace dictum::capture {

/// A sound system through which microphones are recorded. A new one needs a file of its own, which defines a function
/// as below, and a line in the table in backend.cpp; it is named nowhere else.
struct Backend {
  std::string_view name;  ///< as in `[capture] backend`

  /// The devices of the moment. Blocks for at most `limit`. Throws RecorderError: device_lost where no server can be
  /// reached, timed_out where it does not answer in time, input_not_found where this build lacks the back end.
  std::function<std::vector<DeviceInfo>(std::chrono::milliseconds limit)> list;

  /// Begins to open a stream and returns at once; failures are reported by the stream.
  std::function<std::shared_ptr<DeviceStream>(const StreamRequest&)> open;
};

Backend pulse_backend();
Backend portaudio_backend();

/// The back end of that name or, for "auto", all in the order in which they are tried. Throws
/// RecorderError(invalid_argument) for any other name, and lists the valid ones.
std::vector<Backend> select_backends(std::string_view name);

}  // namespace dictum::capture
