#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dictum::server {

/// A number in decimal digits and nothing else; empty where the text is something else, or too large.
inline std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || at != end) return std::nullopt;
  return value;
}

}  // namespace dictum::server
