#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "dictum/text.hpp"

namespace dictum {

using namespace std::chrono;

std::string iso_time(system_clock::time_point time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<milliseconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<system_clock::time_point> parse_iso_time(std::string_view text) {
  constexpr std::string_view pattern = "0000-00-00T00:00:00.000Z";
  std::string whole(text);
  if (whole.size() == pattern.size() - 4) whole.insert(whole.size() - 1, ".000");
  if (whole.size() != pattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool digit = whole[i] >= '0' && whole[i] <= '9';
    if (pattern[i] == '0' ? !digit : whole[i] != pattern[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    std::from_chars(whole.data() + at, whole.data() + at + size, value);
    return value;
  };
  const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2))));
  // A century can be added without leaving what system_clock's nanoseconds hold.
  if (!date.ok() || date.year() < year(1970) || date.year() > year(2150) || number(11, 2) > 23 || number(14, 2) > 59 ||
      number(17, 2) > 59)
    return std::nullopt;
  return sys_days(date) + hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2)) +
         milliseconds(number(20, 3));
}

system_clock::time_point time_of(double timestamp) {
  constexpr double last = 5e9;  // in the year 2128; system_clock ends in 2262
  const double clamped = std::isfinite(timestamp) ? std::clamp(timestamp, 0.0, last) : 0.0;
  return system_clock::time_point(milliseconds(std::llround(clamped * 1000)));
}

double timestamp_of(system_clock::time_point time) {
  return duration<double>(time.time_since_epoch()).count();
}

}  // namespace dictum
