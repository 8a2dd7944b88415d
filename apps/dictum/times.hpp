#pragma once

#include <chrono>
#include <string>
#include <string_view>

/// Times as people write and read them on the command line. Days and hours are UTC, as in the names of sessions.
namespace dictum::program {

/// A place in a recording: "2:03.4", "1:02:03.4".
std::string position_text(double seconds);

/// Reads "83.4", "1:23.4" or "1:02:03". Throws UsageError.
double parse_position(std::string_view text);

/// "2026-11-22 15:45"
std::string minute_text(std::chrono::system_clock::time_point time);

/// Reads a day ("2026-11-22"), a moment ("2026-11-22T15:45", seconds and "Z" or not) or how long ago ("90d", "2w",
/// "12h", "30m"). Throws UsageError, which names `option`.
std::chrono::system_clock::time_point parse_moment(std::string_view text, std::string_view option,
                                                   std::chrono::system_clock::time_point now);

/// "3.4 MB"
std::string size_text(std::uintmax_t bytes);

}  // namespace dictum::program
