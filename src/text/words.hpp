#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Text in any writing: where words and lines end, and what counts as equal. The one rule of the search index, of
/// subtitles, of notes and of interim text. The rules are Unicode's (UAX 14, 15 and 29) with dictionaries for writings
/// without spaces, as ICU carries them out.
///
/// Threads: any; nothing is shared. Text is UTF-8; bytes that are not well-formed stand for U+FFFD and break no word.
/// Offsets are bytes.
namespace dictum::text {

/// A part of a text: bytes [begin, end).
struct Piece {
  std::size_t begin{};
  std::size_t end{};

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  bool operator==(const Piece&) const = default;
};

/// The words of `text` in order, without spaces and punctuation. A writing without spaces is divided by a dictionary.
std::vector<Piece> words(std::string_view text);

/// What an index stores of `text`, in order: its words, but a word of a writing in which words are not separated, or
/// are inflected by what is attached to them (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Korean), letter by letter,
/// so that any part of it is found as a phrase.
std::vector<Piece> index_terms(std::string_view text);

/// The pieces between which a line may be broken, in order; they adjoin, and trailing spaces belong to a piece.
std::vector<Piece> line_pieces(std::string_view text);

/// How many columns a fixed-width font needs: 2 for a wide character, 0 for a combining one.
std::size_t columns(std::string_view text);

/// The form to compare: NFKC, without case, and without the diacritics of Latin, Greek and Cyrillic letters.
std::string folded(std::string_view text);

/// The form to keep: NFC.
std::string composed(std::string_view text);

}  // namespace dictum::text
