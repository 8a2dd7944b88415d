#include "times.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "base/age.hpp"
#include "base/iso_time.hpp"
#include "exit_code.hpp"

namespace dictum::program {
namespace {

using std::chrono::system_clock;

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string position_text(double seconds) {
  const auto tenths = static_cast<std::int64_t>(std::floor(std::max(seconds, 0.0) * 10));
  const std::int64_t minutes = tenths / 600;
  const std::string rest = fmt::format("{:02}.{}", tenths / 10 % 60, tenths % 10);
  return minutes < 60 ? fmt::format("{}:{}", minutes, rest)
                      : fmt::format("{}:{:02}:{}", minutes / 60, minutes % 60, rest);
}

double parse_position(std::string_view text) {
  double seconds = 0;
  std::string_view left = text;
  for (int parts = 0; parts < 3; ++parts) {
    const std::size_t colon = left.find(':');
    const auto part = number<double>(left.substr(0, colon));
    if (!part || !(*part >= 0) || *part > 1e9) break;
    seconds = seconds * 60 + *part;
    if (colon == std::string_view::npos) return seconds;
    left.remove_prefix(colon + 1);
  }
  throw UsageError(fmt::format("'{}' is no place in a recording: write 83.4, 1:23.4 or 1:02:03", text));
}

std::string minute_text(system_clock::time_point time) {
  std::string iso = iso_time(time);  // 2026-11-22T15:45:01.250Z
  iso[10] = ' ';
  return iso.substr(0, 16);
}

system_clock::time_point parse_moment(std::string_view text, std::string_view option, system_clock::time_point now) {
  if (const auto age = parse_age(text)) return now - *age;
  std::string moment(text);
  if (moment.ends_with('Z')) moment.pop_back();
  if (moment.size() == 10) moment += "T00:00";
  if (moment.size() == 16) moment += ":00";
  if (const auto time = parse_iso_time(moment + "Z")) return *time;
  throw UsageError(fmt::format(
      "{} '{}': write a day (2026-11-22), a moment (2026-11-22T15:45, UTC) or how long ago (90d, 12h)", option, text));
}

std::string size_text(std::uintmax_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (size >= 1e9) return fmt::format("{:.1f} GB", size / 1e9);
  if (size >= 1e6) return fmt::format("{:.1f} MB", size / 1e6);
  return fmt::format("{:.1f} kB", size / 1e3);
}

}  // namespace dictum::program
