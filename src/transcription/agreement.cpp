#include "transcription/agreement.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"

namespace dictum::transcription {
namespace {

constexpr std::uint32_t kFirstWithoutSpaces = 0x2E80;  // from here on: CJK, kana; Hangul's spaces are found as such

bool is_separator(char c) {
  constexpr std::string_view kSeparators = " \t\r\n.,;:!?\"()";
  return kSeparators.find(c) != kSeparators.npos;
}

/// True where a word of `text` cannot go on at `position`.
bool word_ends(std::string_view text, std::size_t position) {
  return position >= text.size() || is_separator(text[position]);
}

struct Units {
  std::size_t count = 0;  // words, and characters of a script that puts no spaces between them
  std::size_t end = 0;    // of the last one
};

/// The first units of `text`, at most `limit`.
Units first_units(std::string_view text, std::size_t limit) {
  Units units;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::decode(text, at);
    const bool stands_alone = point.value >= kFirstWithoutSpaces;
    if (!stands_alone && is_separator(text[at])) {
      in_word = false;
    } else {
      if (stands_alone || !in_word) {
        if (units.count == limit) break;
        ++units.count;
      }
      in_word = !stands_alone;
      units.end = point.next;
    }
    at = point.next;
  }
  return units;
}

/// `text` with its beginning replaced by `committed`, which has as many words.
std::string continued(std::string_view committed, std::string text) {
  if (text.starts_with(committed) && word_ends(text, committed.size())) return text;
  const Units said = first_units(committed, std::string_view::npos);
  const Units replaced = first_units(text, said.count);
  return std::string(committed) + text.substr(replaced.count < said.count ? text.size() : replaced.end);
}

}  // namespace

Agreement::Version Agreement::with_next(std::string text) {
  if (committed_ > 0) text = continued(std::string_view(last_).substr(0, committed_), std::move(text));
  const auto limit = static_cast<std::size_t>(std::ranges::mismatch(text, last_).in1 - text.begin());
  for (std::size_t at = committed_; at < limit;) {
    const utf8::CodePoint point = utf8::decode(text, at);
    if (point.next > limit) break;
    at = point.next;
    const bool stands_alone = point.value >= kFirstWithoutSpaces;
    if (stands_alone || (word_ends(text, at) && word_ends(last_, at))) committed_ = at;
  }
  last_ = text;
  return {std::move(text), committed_};
}

}  // namespace dictum::transcription
