#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dictum {

/// The bytes of base64 (RFC 4648, with its padding); empty where the text is something else. Safe from any thread.
std::optional<std::string> from_base64(std::string_view text);

/// The other way round. Safe from any thread.
std::string to_base64(std::string_view bytes);

}  // namespace dictum
