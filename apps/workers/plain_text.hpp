#pragma once

#include <string>
#include <string_view>

namespace dictum::workers {

/// What somebody else's program or server wrote as the text of a segment: lines joined by spaces, without control
/// characters or white space around it, as UTF-8.
std::string plain_text(std::string_view printed);

}  // namespace dictum::workers
