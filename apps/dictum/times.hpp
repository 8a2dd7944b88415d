#pragma once

#include <chrono>
#include <string>
#include <string_view>

/// Times as people write and read them on the command line. Days and hours are local; the names of sessions
/// and JSON have UTC.
namespace dictum::program {

/// A place in a recording: "2:03.4", "1:02:03.4".
std::string position_text(double seconds);

/// Reads "83.4", "1:23.4" or "1:02:03". Throws UsageError.
double parse_position(std::string_view text);

/// In local time, and which one that is: "2026-11-22 16:45 +01:00".
std::string minute_text(std::chrono::system_clock::time_point time);

/// Reads a day ("2026-11-22", its beginning), a moment ("2026-11-22T15:45", with seconds or not; with "Z" it is UTC),
/// both in local time, or how long ago ("90d", "2w", "12h", "30m"; not 0). Throws UsageError, which names `option`.
std::chrono::system_clock::time_point parse_moment(std::string_view text, std::string_view option,
                                                   std::chrono::system_clock::time_point now);

/// The same for the end of a range, and exclusive: of a day its end.
std::chrono::system_clock::time_point parse_end(std::string_view text, std::string_view option,
                                                std::chrono::system_clock::time_point now);

}  // namespace dictum::program
