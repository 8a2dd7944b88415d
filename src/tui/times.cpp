#include "tui/times.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

namespace dictum::tui {
namespace {

std::tm calendar(const Model& model, Seconds at) {
  // Within a person's lifetimes, whatever a journal or a clock says.
  const double bounded = std::isfinite(at) ? std::clamp(at, 0.0, 32503680000.0) : 0.0;
  const auto whole = static_cast<std::time_t>(bounded) + model.utc_offset_sec;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return parts;
}

}  // namespace

std::string time_of_day(const Model& model, Seconds at) {
  return fmt::format("{:%H:%M:%S}", calendar(model, at));
}

std::string date_and_time(const Model& model, Seconds at) {
  return fmt::format("{:%Y-%m-%d %H:%M}", calendar(model, at));
}

std::string duration(Seconds length) {
  const auto whole = static_cast<long long>(std::isfinite(length) ? std::clamp(length, 0.0, 1e9) : 0.0);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string seconds(Seconds length) {
  return length < 100 ? fmt::format("{:.1f} s", std::max(length, 0.0)) : duration(length);
}

std::string count(std::size_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}

}  // namespace dictum::tui
