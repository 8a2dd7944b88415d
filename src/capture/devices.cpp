#include "capture/devices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "dictum/error.hpp"

namespace dictum::capture {
namespace {

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
  std::vector<const DeviceInfo*> all;
  for (const auto& device : devices) all.push_back(&device);
  return listing(all);
}

}  // namespace

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
    throw RecorderError(
        Errc::input_not_found,
        devices.empty() ? fmt::format("No input device named \"{}\": no microphone was found. Connect one.", wanted)
                        : fmt::format("No input device named \"{}\". Choose one of: {}.", wanted, listing(devices)));
  }
  if (matches.size() > 1) {
    throw RecorderError(
        Errc::device_ambiguous,
        fmt::format("Several input devices match \"{}\": {}. Choose one by its id.", wanted, listing(matches)));
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
    const bool is_intended = previous.empty() ? has_microphone : device.name == previous;
    if (!device.is_monitor || is_intended) return device;
  }
  for (const auto& device : devices) {
    if (device.name == previous) return device;
  }
  if (devices.empty()) {
    throw RecorderError(Errc::input_not_found, "No microphone was found. Connect one, or record a file with --input.");
  }
  throw RecorderError(
      Errc::input_not_found,
      fmt::format("{} Choose a device with --device: {}.",
                  has_microphone ? "No default input device is set."
                                 : "No microphone was found, only devices that record what the machine plays. Connect "
                                   "a microphone.",
                  listing(devices)));
}

}  // namespace dictum::capture
