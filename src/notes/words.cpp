#include "notes/words.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "base/utf8.hpp"
#include "text/words.hpp"

namespace dictum::notes {
namespace {

constexpr std::size_t kMaxAnnotationBytes = 40;
constexpr std::string_view kNote = "\u266a";
constexpr std::string_view kNotes = "\u266b";

bool is_ascii_word(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9');
}

bool is_apostrophe(char32_t c) {
  return c == U'\'' || c == U'`' || c == 0xB4 || c == 0x2BC || c == 0x2018 || c == 0x2019 || c == 0x201B ||
         c == 0x2032 || c == 0xFF07;
}

// Beyond ASCII everything is a letter but the blocks of spaces and punctuation.
bool is_word(char32_t c) {
  if (c < 0x80) return is_ascii_word(c);
  if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
  return c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x20A0 && c <= 0x20CF) &&
         !(c >= 0x2190 && c <= 0x2BFF) && !(c >= 0x2E00 && c <= 0x2E7F) && !(c >= 0x3000 && c <= 0x303F) &&
         !(c >= 0xFF00 && c <= 0xFF0F) && !(c >= 0xFF1A && c <= 0xFF20) && c != 0xFEFF && c != 0xFFFD && c != 0x60C &&
         c != 0x61B && c != 0x61F && c != 0x964;
}

// Ends a sentence wherever it stands; "." does so only where no word follows at once ("2.5", "e.g").
bool ends_sentence(char32_t c) {
  return c == U'!' || c == U'?' || c == 0x2026 || c == 0x3002 || c == 0x61F || c == 0x964 || c == 0xFF01 ||
         c == 0xFF0E || c == 0xFF1F;
}

// Of the scripts whose recognisers write capitals: Latin, Greek, Cyrillic.
char32_t lower(char32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE) return c + 32;
  if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c | 1u;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1u);
  if (c >= 0x391 && c <= 0x3A9) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  return c;
}

// The end of the annotation that begins at `at`; `at` where none does. Words in parentheses or between asterisks are an
// annotation only where a sentence may begin, so that "plans (draft)" keeps its words.
std::size_t annotation_end(std::string_view text, std::size_t at, bool sentence_may_begin) {
  if (text[at] == '\xe2') {
    const auto mark = text.substr(at, kNote.size());
    if (mark != kNote && mark != kNotes) return at;
    const auto end = text.find(mark, at + mark.size());
    return end == std::string_view::npos ? text.size() : end + mark.size();
  }
  char close = '\0';
  switch (text[at]) {
    case '[':
      close = ']';
      break;
    case '<':
      close = '>';
      break;
    case '(':
      close = sentence_may_begin ? ')' : '\0';
      break;
    case '*':
      close = sentence_may_begin ? '*' : '\0';
      break;
    default:
      break;
  }
  if (close == '\0') return at;
  const auto end = text.substr(at + 1, kMaxAnnotationBytes).find(close);
  return end == std::string_view::npos ? at : at + end + 2;
}

bool word_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  const auto point = utf8::decode(text, at);
  return point.valid && is_word(static_cast<char32_t>(point.value));
}

// Before it no writing lacks spaces between its words: Thai is the first.
constexpr std::uint32_t kFirstWithoutSpaces = 0xE00;

bool may_lack_spaces(std::string_view word) {
  for (std::size_t at = 0; at < word.size();) {
    const auto point = utf8::decode(word, at);
    if (point.value >= kFirstWithoutSpaces) return true;
    at = point.next;
  }
  return false;
}

// The word in the form that is compared, without what is no letter in it: an apostrophe, bytes of no character.
std::string normalised(std::string_view text) {
  std::string word;
  for (std::size_t at = 0; at < text.size();) {
    const auto point = utf8::decode(text, at);
    const auto c = static_cast<char32_t>(point.value);
    if (point.valid && is_word(c)) utf8::append(word, lower(c));
    at = point.next;
  }
  return text::composed(word);
}

// Appends what stands between two spaces or marks of `text`: a word, or several of a writing without spaces.
void append_words(std::vector<TextWord>& words, std::string_view text, TextWord run) {
  const std::string_view whole = text.substr(run.begin, run.end - run.begin);
  std::vector<text::Piece> pieces;
  if (may_lack_spaces(whole)) pieces = text::words(whole);
  if (pieces.size() < 2) pieces = {{0, whole.size()}};
  for (const text::Piece& piece : pieces) {
    words.push_back({normalised(piece.of(whole)), run.begin + piece.begin, run.begin + piece.end,
                     std::exchange(run.pause_before, false), std::exchange(run.sentence_before, false)});
  }
}

}  // namespace

bool is_space(char32_t c) {
  return c <= 0x20 || c == 0x7F || (c >= 0x80 && c <= 0xA0) || (c >= 0x2000 && c <= 0x200F) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool is_quote(char32_t c) {
  return is_apostrophe(c) || c == U'"' || c == 0xAB || c == 0xBB || (c >= 0x2018 && c <= 0x201F) || c == 0x2039 ||
         c == 0x203A || (c >= 0x300C && c <= 0x300F);
}

std::vector<TextWord> split_words(std::string_view text) {
  std::vector<TextWord> words;
  std::optional<TextWord> run;
  bool pause = false;
  bool sentence = true;
  const auto end_run = [&] {
    if (run) append_words(words, text, *std::exchange(run, std::nullopt));
  };
  for (std::size_t at = 0; at < text.size();) {
    if (const auto end = annotation_end(text, at, !run && sentence); end != at) {
      end_run();
      at = end;
      continue;
    }
    const auto point = utf8::decode(text, at);
    const auto c = static_cast<char32_t>(point.value);
    if (point.valid && is_word(c)) {
      if (!run) {
        const bool first = words.empty();
        run = {{}, at, at, std::exchange(pause, false), std::exchange(sentence, false) && !first};
      }
      run->end = point.next;
    } else if (!(point.valid && is_apostrophe(c) && run)) {
      const bool inside_word = run && (c == U'.' || c == U',' || c == U':') && word_at(text, point.next);
      end_run();
      if (!inside_word) {
        pause = pause || (point.valid && !is_space(c));
        sentence = sentence || c == U'.' || ends_sentence(c);
      }
    }
    at = point.next;
  }
  end_run();
  return words;
}

}  // namespace dictum::notes
