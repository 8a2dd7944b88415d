#pragma once

#include <string>
#include <string_view>

namespace dictum::session {

/// Text of any kind on one line of Markdown, in which nothing of it counts as markup.
std::string without_markup(std::string_view text);

}  // namespace dictum::session
