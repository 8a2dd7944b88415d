#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::server {

/// What a request asks for, taken apart and decoded.
struct Target {
  std::vector<std::string> path;  ///< its segments; none is "", "." or "..", and none has a slash in it
  std::map<std::string, std::string, std::less<>> query;
};

/// Takes the target of a request apart, which may be anything. Throws RecorderError(invalid_argument) for what is no
/// path from the root: a wrong percent-encoding, bytes that are not UTF-8, control characters, slashes that are
/// encoded, a segment "." or "..", a parameter that is given twice. Any thread; no state.
Target parse_target(std::string_view target);

}  // namespace dictum::server
