#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::notes {

/// A word of a text, normalised, and its position.
struct TextWord {
  std::string word;        ///< lower case, without apostrophes, composed (NFC)
  std::size_t begin{};     ///< bytes of the text
  std::size_t end{};       ///< exclusive
  bool pause_before{};     ///< punctuation stands between this word and the one before it
  bool sentence_before{};  ///< punctuation that ends a sentence stands there, be it of an abbreviation
};

/// The words of `text`, in order. Annotations of a recogniser ("[BLANK_AUDIO]", "<sil>", "*coughs*", a sentence in
/// parentheses, everything between two "♪") hold no words. Takes any bytes, in time linear in their number, and never
/// fails.
///
/// This is the only place that knows where a word begins and ends. Spaces and punctuation do it; what stands between
/// them in a writing without spaces is divided as everywhere else (`text::words`).
std::vector<TextWord> split_words(std::string_view text);

/// Whether `c` is white space or a control character.
bool is_space(char32_t c);

/// Whether `c` is an opening or closing quotation mark, or an apostrophe.
bool is_quote(char32_t c);

}  // namespace dictum::notes
