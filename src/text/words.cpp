#include "text/words.hpp"

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::text {
namespace {

void check(UErrorCode code) {
  if (U_FAILURE(code)) throw RecorderError(Errc::internal, std::string("ICU failed: ") + u_errorName(code) + ".");
}

enum class Kind { word, line, character };

std::unique_ptr<icu::BreakIterator> make_iterator(Kind kind) {
  UErrorCode code = U_ZERO_ERROR;
  const icu::Locale& root = icu::Locale::getRoot();  // the same on every machine
  std::unique_ptr<icu::BreakIterator> made(kind == Kind::word ? icu::BreakIterator::createWordInstance(root, code)
                                           : kind == Kind::line
                                               ? icu::BreakIterator::createLineInstance(root, code)
                                               : icu::BreakIterator::createCharacterInstance(root, code));
  check(code);
  return made;
}

/// Calls `take(piece, rule_status)` for each piece of `text` between two breaks of this kind.
template <class Take>
void for_each_piece(Kind kind, std::string_view text, Take take) {
  thread_local std::array<std::unique_ptr<icu::BreakIterator>, 3> iterators;
  std::unique_ptr<icu::BreakIterator>& kept = iterators[static_cast<std::size_t>(kind)];
  if (!kept) kept = make_iterator(kind);
  icu::BreakIterator& iterator = *kept;
  UErrorCode code = U_ZERO_ERROR;
  UText input = UTEXT_INITIALIZER;
  utext_openUTF8(&input, text.data(), static_cast<std::int64_t>(text.size()), &code);
  check(code);
  iterator.setText(&input, code);
  std::int32_t begin = iterator.first();
  for (std::int32_t end = iterator.next(); end != icu::BreakIterator::DONE; end = iterator.next()) {
    take(Piece{static_cast<std::size_t>(begin), static_cast<std::size_t>(end)}, iterator.getRuleStatus());
    begin = end;
  }
  utext_close(&input);
  check(code);
}

bool is_written_without_spaces(std::string_view word) {
  const auto point = static_cast<UChar32>(utf8::decode(word, 0).value);
  if (u_getIntPropertyValue(point, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT) return true;
  UErrorCode code = U_ZERO_ERROR;
  switch (uscript_getScript(point, &code)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_HANGUL:
      return true;
    default:
      return false;
  }
}

icu::UnicodeString normalized(const icu::Normalizer2* form, const icu::UnicodeString& text, UErrorCode& code) {
  check(code);
  icu::UnicodeString result = form->normalize(text, code);
  check(code);
  return result;
}

/// Whether `point` is a combining mark that any letter may carry; the voicing of kana makes another letter.
bool is_diacritic(UChar32 point) {
  constexpr UChar32 kVoiced = 0x3099;
  constexpr UChar32 kHalfVoiced = 0x309A;
  UErrorCode code = U_ZERO_ERROR;
  return u_charType(point) == U_NON_SPACING_MARK && uscript_getScript(point, &code) == USCRIPT_INHERITED &&
         point != kVoiced && point != kHalfVoiced;
}

}  // namespace

std::vector<Piece> words(std::string_view text) {
  std::vector<Piece> found;
  for_each_piece(Kind::word, text, [&](Piece piece, std::int32_t status) {
    if (status >= UBRK_WORD_NONE_LIMIT) found.push_back(piece);  // below: spaces and punctuation
  });
  return found;
}

std::vector<Piece> index_terms(std::string_view text) {
  std::vector<Piece> terms;
  for (const Piece& word : words(text)) {
    if (!is_written_without_spaces(word.of(text))) {
      terms.push_back(word);
      continue;
    }
    for_each_piece(Kind::character, word.of(text), [&](Piece piece, std::int32_t) {
      terms.push_back({word.begin + piece.begin, word.begin + piece.end});
    });
  }
  return terms;
}

std::vector<Piece> line_pieces(std::string_view text) {
  std::vector<Piece> pieces;
  for_each_piece(Kind::line, text, [&](Piece piece, std::int32_t) { pieces.push_back(piece); });
  return pieces;
}

std::size_t columns(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::decode(text, at);
    at = point.next;
    const auto value = static_cast<UChar32>(point.value);
    const auto type = u_charType(value);
    if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR) continue;
    const auto width = u_getIntPropertyValue(value, UCHAR_EAST_ASIAN_WIDTH);
    columns += width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
  }
  return columns;
}

std::string folded(std::string_view text) {
  UErrorCode code = U_ZERO_ERROR;
  const auto input =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  const auto plain = normalized(icu::Normalizer2::getNFKCCasefoldInstance(code), input, code);
  const auto apart = normalized(icu::Normalizer2::getNFDInstance(code), plain, code);
  icu::UnicodeString letters;
  for (std::int32_t at = 0; at < apart.length(); at = apart.moveIndex32(at, 1)) {
    if (const UChar32 point = apart.char32At(at); !is_diacritic(point)) letters.append(point);
  }
  std::string result;
  return normalized(icu::Normalizer2::getNFCInstance(code), letters, code).toUTF8String(result);
}

std::string composed(std::string_view text) {
  const bool is_ascii = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii) return std::string(text);
  UErrorCode code = U_ZERO_ERROR;
  const auto input =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  std::string result;
  return normalized(icu::Normalizer2::getNFCInstance(code), input, code).toUTF8String(result);
}

}  // namespace dictum::text
