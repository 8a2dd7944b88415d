#include "transcription/agreement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dictum::transcription {
namespace {

std::string stable_of(const std::string& first, const std::string& second) {
  Agreement agreement;
  agreement.with_next(first);
  return second.substr(0, agreement.with_next(second));
}

TEST(Agreement, HoldsNothingOfAFirstText) {
  EXPECT_EQ(Agreement().with_next("ask not"), 0);
}

TEST(Agreement, HoldsTheWordsThatBothBeginWith) {
  EXPECT_EQ(stable_of("ask not what", "ask not that"), "ask not");
}

TEST(Agreement, DoesNotHoldAWordThatMayGoOn) {
  EXPECT_EQ(stable_of("ask no", "ask not"), "ask");
}

TEST(Agreement, HoldsAWordThoughAStopFollowsIt) {
  EXPECT_EQ(stable_of("ask not.", "ask not, what"), "ask not");
}

TEST(Agreement, HoldsWholeTextsThatAreEqual) {
  EXPECT_EQ(stable_of("ask not", "ask not"), "ask not");
}

TEST(Agreement, GoesByCharactersWhereWordsHaveNoSpaces) {
  EXPECT_EQ(stable_of("你好世", "你好吗"), "你好");
}

TEST(Agreement, NeverCutsACharacter) {
  EXPECT_EQ(stable_of("caf\u00e9 a", "caf\u00ea a"), "");
}

TEST(Agreement, ForgetsWhatTheLastTextTookBack) {
  Agreement agreement;
  agreement.with_next("ask not");
  agreement.with_next("and so");
  EXPECT_EQ(agreement.with_next("ask not"), 0);
}

}  // namespace
}  // namespace dictum::transcription
