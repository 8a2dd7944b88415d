#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dictum/export.hpp"

/// Texts and times as Dictum writes and reads them, for applications that show or store them beside its own.
///
/// Errors: none of these functions throws RecorderError. Thread safety: any thread.
namespace dictum {

/// `text` as one line that is safe to show on a terminal, in a list or in a log: bytes that are not UTF-8 become
/// U+FFFD; control characters, line breaks and invisible changes of the writing's direction become spaces. Transcripts,
/// device names and messages in events come from outside: recognisers, people, files that somebody else made.
DICTUM_API std::string on_one_line(std::string_view text);

/// "2026-11-22T15:45:01.250Z"; cut to milliseconds.
DICTUM_API std::string iso_time(std::chrono::system_clock::time_point time);

/// Reads what `iso_time` writes, the fraction being optional; empty where it is something else.
DICTUM_API std::optional<std::chrono::system_clock::time_point> parse_iso_time(std::string_view text);

/// The moment of an event's timestamp, to the millisecond, kept within the years that a date can have.
DICTUM_API std::chrono::system_clock::time_point time_of(double timestamp);

/// The timestamp of an event at that moment: seconds since 1970.
DICTUM_API double timestamp_of(std::chrono::system_clock::time_point time);

/// A size for people: "3.4 MB", of a million bytes each.
DICTUM_API std::string size_text(std::uintmax_t bytes);

/// A duration as the settings write it: "90d" (days), "12h" (hours), "30m" (minutes), "8w" (weeks). Empty for anything
/// else.
DICTUM_API std::optional<std::chrono::seconds> parse_age(std::string_view text);

}  // namespace dictum
