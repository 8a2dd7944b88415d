#include "capture/backend.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "dictum/error.hpp"

namespace dictum::capture {
namespace {

constexpr std::string_view kAuto = "auto";

/// In the order in which they are tried.
std::vector<Backend> all_backends() {
  return {pulse_backend(), portaudio_backend()};
}

}  // namespace

std::vector<Backend> select_backends(std::string_view name) {
  std::vector<Backend> selected = all_backends();
  if (name != kAuto) std::erase_if(selected, [&](const Backend& backend) { return backend.name != name; });
  if (!selected.empty()) return selected;
  throw RecorderError(Errc::invalid_argument, fmt::format("Unknown capture back end \"{}\". Use one of: {}.", name,
                                                          fmt::join(device_backends(), ", ")));
}

}  // namespace dictum::capture

namespace dictum {

std::vector<std::string> device_backends() {
  std::vector<std::string> names{std::string(capture::kAuto)};
  for (const capture::Backend& backend : capture::all_backends()) names.emplace_back(backend.name);
  return names;
}

std::vector<DeviceInfo> list_devices(std::string_view backend) {
  constexpr std::chrono::seconds kDeadline{2};
  std::optional<RecorderError> no_server;  // of the first back end: the sentence to show where none has devices
  for (const capture::Backend& candidate : capture::select_backends(backend)) {
    try {
      auto devices = candidate.list(kDeadline);
      if (!no_server || !devices.empty()) return devices;
    } catch (const RecorderError& error) {
      if (!no_server && error.code() != Errc::device_lost) throw;
      if (!no_server) no_server = error;
    }
  }
  throw RecorderError(*no_server);
}

}  // namespace dictum
