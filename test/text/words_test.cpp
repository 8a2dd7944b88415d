#include "text/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace dictum::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<Piece>& pieces, std::string_view text) {
  std::vector<std::string> all;
  for (const Piece& piece : pieces) all.emplace_back(piece.of(text));
  return all;
}

std::vector<std::string> words_of(std::string_view text) {
  return texts(words(text), text);
}

std::vector<std::string> terms_of(std::string_view text) {
  return texts(index_terms(text), text);
}

TEST(Words, AreWithoutSpacesAndPunctuation) {
  EXPECT_THAT(words_of(" Don't stop, Dr. Smith! (3.5 km)"), ElementsAre("Don't", "stop", "Dr", "Smith", "3.5", "km"));
}

TEST(Words, OfWritingsWithoutSpacesAreDividedByADictionary) {
  EXPECT_THAT(words_of("今天天气很好"), ElementsAre("今天", "天气", "很好"));
  EXPECT_THAT(words_of("สวัสดีครับ"), ElementsAre("สวัสดี", "ครับ"));
}

TEST(Words, OfHindiKeepTheirVowelSigns) {
  EXPECT_THAT(words_of("नमस्ते दुनिया"), ElementsAre("नमस्ते", "दुनिया"));
}

TEST(Words, OfNothingAreNone) {
  EXPECT_THAT(words_of(""), IsEmpty());
  EXPECT_THAT(words_of(" ,.;"), IsEmpty());
}

TEST(Words, StandIllFormedBytes) {
  EXPECT_THAT(words_of("one \xff\xfe two"), testing::Contains("two"));
}

TEST(IndexTerms, OfLatinTextAreItsWords) {
  EXPECT_THAT(terms_of("two words"), ElementsAre("two", "words"));
}

TEST(IndexTerms, OfWritingsWithoutSpacesAreLetters) {
  EXPECT_THAT(terms_of("天气 ok"), ElementsAre("天", "气", "ok"));
  EXPECT_THAT(terms_of("회의는"), ElementsAre("회", "의", "는"));
  EXPECT_THAT(terms_of("ดีมาก"), ElementsAre("ดี", "ม", "า", "ก"));
}

TEST(LinePieces, AdjoinAndCoverTheText) {
  const std::string text = "Two words, 今天天气很好 and สวัสดีครับ.";
  std::size_t at = 0;
  for (const Piece& piece : line_pieces(text)) {
    EXPECT_EQ(piece.begin, at);
    at = piece.end;
  }
  EXPECT_EQ(at, text.size());
}

TEST(LinePieces, NeverBeginWithAStop) {
  const std::string text = "很好。我们";
  for (const Piece& piece : line_pieces(text)) EXPECT_FALSE(piece.of(text).starts_with("。"));
}

TEST(Columns, CountWideLettersTwiceAndCombiningOnesNot) {
  EXPECT_EQ(columns("abc"), 3U);
  EXPECT_EQ(columns("天气"), 4U);
  EXPECT_EQ(columns("e\u0301"), 1U);
}

TEST(Folded, IsEqualForWhatReadsEqual) {
  EXPECT_EQ(folded("Café"), folded("CAFE\u0301"));
  EXPECT_EQ(folded("Straße"), "strasse");
  EXPECT_EQ(folded("ＡＢＣ"), "abc");
}

TEST(Folded, KeepsMarksThatMakeAnotherLetter) {
  EXPECT_NE(folded("が"), folded("か"));
  EXPECT_NE(folded("ดี"), folded("ด"));
}

TEST(Composed, IsOneFormOfTheSameText) {
  EXPECT_EQ(composed("e\u0301"), "é");
}

}  // namespace
}  // namespace dictum::text
