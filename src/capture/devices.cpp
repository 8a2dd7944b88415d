#include "capture/devices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "capture/portaudio_stream.hpp"
#include "capture/pulse_stream.hpp"
#include "dictum/error.hpp"

namespace dictum::capture {
namespace {

constexpr std::chrono::seconds kListingDeadline{2};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string listing(const std::vector<const DeviceInfo*>& devices) {
  std::vector<std::string> words;
  for (const auto* device : devices) words.push_back(fmt::format("{} ({})", device->id, device->description));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string listing(const std::vector<DeviceInfo>& devices) {
  if (devices.empty()) return "There is none.";
  std::vector<const DeviceInfo*> all;
  for (const auto& device : devices) all.push_back(&device);
  return "There is: " + listing(all) + ".";
}

}  // namespace

std::vector<DeviceInfo> list_devices(std::string_view backend) {
  if (backend == "pulse") return list_pulse_devices(kListingDeadline);
  if (backend == "portaudio") return list_portaudio_devices(kListingDeadline);
  if (backend != "auto") {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("There is no capture backend \"{}\": take auto, pulse or portaudio.", backend));
  }
  try {
    return list_pulse_devices(kListingDeadline);
  } catch (const RecorderError& no_server) {
    if (no_server.code() != Errc::device_lost || !has_portaudio()) throw;
    return list_portaudio_devices(kListingDeadline);
  }
}

const DeviceInfo& resolve_device(const std::vector<DeviceInfo>& devices, std::string_view wanted) {
  for (const auto& device : devices) {
    if (device.id == wanted) return device;
  }
  std::vector<const DeviceInfo*> matches;
  const auto take = [&](auto&& fits) {
    if (!matches.empty()) return;
    for (const auto& device : devices) {
      if (fits(device)) matches.push_back(&device);
    }
  };
  take([&](const DeviceInfo& device) { return device.name == wanted; });
  take([&](const DeviceInfo& device) { return device.description == wanted; });
  take([&, part = lower(wanted)](const DeviceInfo& device) {
    return lower(device.id).find(part) != std::string::npos ||
           lower(device.description).find(part) != std::string::npos;
  });
  if (matches.empty()) {
    throw RecorderError(Errc::input_not_found,
                        fmt::format("There is no input device \"{}\". {}", wanted, listing(devices)));
  }
  if (matches.size() > 1) {
    throw RecorderError(
        Errc::device_ambiguous,
        fmt::format("Several input devices match \"{}\": {}. Name one by its id.", wanted, listing(matches)));
  }
  return *matches.front();
}

const DeviceInfo& choose_device(const std::vector<DeviceInfo>& devices, std::string_view wanted,
                                std::string_view previous) {
  if (!wanted.empty()) {
    try {
      return resolve_device(devices, wanted);
    } catch (const RecorderError&) {
      if (previous.empty()) throw;
    }
  }
  const bool has_microphone = std::ranges::any_of(devices, [](const auto& device) { return !device.is_monitor; });
  for (const auto& device : devices) {
    if (!device.is_default) continue;
    const bool is_meant = previous.empty() ? has_microphone : device.name == previous;
    if (!device.is_monitor || is_meant) return device;
  }
  for (const auto& device : devices) {
    if (device.name == previous) return device;
  }
  if (!has_microphone) {
    throw RecorderError(Errc::input_not_found,
                        devices.empty() ? "There is no microphone: connect one, or record a file with --input."
                                        : "There is no microphone, only what the machine plays itself. Connect one, or "
                                          "choose with --device. " +
                                              listing(devices));
  }
  throw RecorderError(Errc::input_not_found,
                      "There is no default input device: choose one with --device. " + listing(devices));
}

}  // namespace dictum::capture
