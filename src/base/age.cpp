#include <charconv>
#include <cstdint>

#include "dictum/text.hpp"

namespace dictum {

std::optional<std::chrono::seconds> parse_age(std::string_view text) {
  constexpr std::chrono::hours kDay(24);
  constexpr std::chrono::seconds kMaxAge = 200 * 365 * kDay;  // a clock of nanoseconds counts that far back
  if (text.empty()) return std::nullopt;
  const std::string_view number = text.substr(0, text.size() - 1);
  std::int32_t count = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
  if (error != std::errc() || end != number.data() + number.size() || count < 0) return std::nullopt;
  std::chrono::seconds unit{};
  switch (text.back()) {
    case 'm':
      unit = std::chrono::minutes(1);
      break;
    case 'h':
      unit = std::chrono::hours(1);
      break;
    case 'd':
      unit = kDay;
      break;
    case 'w':
      unit = 7 * kDay;
      break;
    default:
      return std::nullopt;
  }
  const std::chrono::seconds age = std::int64_t{count} * unit;
  return age <= kMaxAge ? std::optional(age) : std::nullopt;
}

}  // namespace dictum
