#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dictum {

/// "2026-11-22T15:45:01.250Z"; cut to milliseconds.
std::string iso_time(std::chrono::system_clock::time_point time);

/// Reads what `iso_time` writes, the fraction being optional; empty where it is something else.
std::optional<std::chrono::system_clock::time_point> parse_iso_time(std::string_view text);

/// The moment of an event's timestamp, to the millisecond, kept within the years that a date can have.
std::chrono::system_clock::time_point time_of(double timestamp);

}  // namespace dictum
