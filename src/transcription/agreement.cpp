#include "transcription/agreement.hpp"

#include <algorithm>
#include <string_view>

#include "base/utf8.hpp"

namespace dictum::transcription {
namespace {

constexpr std::uint32_t kFirstWithoutSpaces = 0x2E80;  // from here on: CJK, kana; Hangul's spaces are found as such

/// True where a word of `text` cannot go on at `position`.
bool word_ends(std::string_view text, std::size_t position) {
  if (position >= text.size()) return true;
  constexpr std::string_view kEnds = " \t\r\n.,;:!?\"()";
  return kEnds.find(text[position]) != kEnds.npos;
}

}  // namespace

std::size_t Agreement::with_next(const std::string& text) {
  const auto limit = static_cast<std::size_t>(std::ranges::mismatch(text, last_).in1 - text.begin());
  std::size_t stable = 0;
  for (std::size_t at = 0; at < limit;) {
    const utf8::CodePoint point = utf8::decode(text, at);
    if (point.next > limit) break;
    at = point.next;
    if (point.value >= kFirstWithoutSpaces || (word_ends(text, at) && word_ends(last_, at))) stable = at;
  }
  last_ = text;
  return stable;
}

}  // namespace dictum::transcription
