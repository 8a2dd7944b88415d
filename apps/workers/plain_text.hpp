#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::workers {

/// What somebody else's program or server wrote as the text of a segment: lines joined by spaces, without control
/// characters or white space around it, as UTF-8.
std::string plain_text(std::string_view printed);

/// At most so many words of a text, for comparison: letters and digits of ASCII in lower case, and everything beyond
/// ASCII, between white space and punctuation. What an engine repeats may have no space in it ("2.0.0.0.0").
std::vector<std::string> bare_words(std::string_view text, std::size_t most);

}  // namespace dictum::workers
