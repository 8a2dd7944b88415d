#pragma once

#include <string>
#include <string_view>

namespace dictum {

/// The longest slug, in bytes.
inline constexpr std::size_t kMaxSlugBytes = 60;

/// A part of a file's name that reads like `title`, whatever is in it: ASCII letters in lower case, digits, letters of
/// other scripts as they are, and a "-" for everything between them. UTF-8, at most kMaxSlugBytes, never empty (a
/// title without a letter or digit gives "note"), no "." or "/", no "-" at either end.
std::string note_slug(std::string_view title);

}  // namespace dictum
