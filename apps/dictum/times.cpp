#include "times.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "dictum/text.hpp"
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

constexpr std::string_view kDay = "2026-11-22";

/// A day or a moment, in local time unless it ends in Z.
std::optional<system_clock::time_point> moment_of(std::string_view text) {
  std::string moment(text);
  const bool is_utc = moment.ends_with('Z');
  if (is_utc) moment.pop_back();
  if (moment.size() == kDay.size()) moment += "T00:00";
  if (moment.size() == 16) moment += ":00";
  const auto time = parse_iso_time(moment + "Z");
  if (!time || is_utc) return time;
  const std::time_t seconds = system_clock::to_time_t(*time);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return std::nullopt;
  parts.tm_isdst = -1;  // the zone's rules decide
  return system_clock::from_time_t(std::mktime(&parts)) + (*time - system_clock::from_time_t(seconds));
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
  const std::time_t seconds = system_clock::to_time_t(time);
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return iso_time(time);
  const long offset = local.tm_gmtoff / 60;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} {}{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, offset < 0 ? '-' : '+', std::abs(offset) / 60,
                     std::abs(offset) % 60);
}

system_clock::time_point parse_moment(std::string_view text, std::string_view option, system_clock::time_point now) {
  if (const auto age = parse_age(text); age && age->count() > 0) return now - *age;
  if (const auto moment = moment_of(text)) return *moment;
  throw UsageError(
      fmt::format("{} '{}': write a day (2026-11-22), a moment (2026-11-22T15:45; with Z it is UTC) or how long ago "
                  "(90d, 12h; at least 1m)",
                  option, text));
}

system_clock::time_point parse_end(std::string_view text, std::string_view option, system_clock::time_point now) {
  const auto begin = parse_moment(text, option, now);
  if (text.size() != kDay.size()) return begin;
  const std::time_t seconds = system_clock::to_time_t(begin);
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return begin + std::chrono::hours(24);
  ++local.tm_mday;  // of 23 to 25 hours
  local.tm_isdst = -1;
  return system_clock::from_time_t(std::mktime(&local));
}

}  // namespace dictum::program
