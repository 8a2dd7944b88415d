#include "capture/backend.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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
                                                          fmt::join(backend_names(), ", ")));
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names{std::string(kAuto)};
  for (const Backend& backend : all_backends()) names.emplace_back(backend.name);
  return names;
}

}  // namespace dictum::capture
