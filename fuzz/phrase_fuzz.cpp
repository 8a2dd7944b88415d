// Any bytes as a recogniser's text: matches are in order and inside it, titles are valid UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "notes/phrase_matcher.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const dictum::notes::PhraseMatcher matcher(dictum::notes::NotePhrases::english());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t at = 0;
  for (const auto& match : matcher.match(text)) {
    if (match.begin < at || match.end < match.begin || match.end > size) std::abort();
    const auto title = matcher.title(text.substr(match.end));
    if (!dictum::utf8::is_valid(title.text) || title.end > size - match.end) std::abort();
    at = match.end;
  }
  const auto in_one_breath = matcher.title_in_one_breath(text, {size / 3, size / 2, size, size + 1});
  if (!dictum::utf8::is_valid(in_one_breath.text) || in_one_breath.end > size) std::abort();
  for (const char* phrase : {"start a new note", "end note"}) {
    const auto spotted = matcher.locate(text, phrase);
    if (spotted && (spotted->begin > spotted->end || spotted->end > size)) std::abort();
  }
  if (const auto near = matcher.near(text); near && !matcher.command_of(near->phrase)) std::abort();
  matcher.confirmed(text, "start a new note");
  matcher.confirmed("start on your road", text);
  matcher.command_of(text);

  // The same bytes as phrases.
  dictum::notes::NotePhrases phrases;
  const auto half = static_cast<std::ptrdiff_t>(size / 2);
  phrases.start = phrases.prefixes = {std::string(text.begin(), text.begin() + half)};
  phrases.end = phrases.fillers = {std::string(text.begin() + half, text.end())};
  dictum::notes::PhraseMatcher(phrases).match(text);
  return 0;
}
