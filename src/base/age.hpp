#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace dictum {

/// How long ago: "90d" (days), "12h" (hours), "30m" (minutes), "8w" (weeks). Empty for anything else.
std::optional<std::chrono::seconds> parse_age(std::string_view text);

}  // namespace dictum
