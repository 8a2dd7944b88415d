#include "recorder/session_language.hpp"

#include <gtest/gtest.h>

namespace dictum::recorder {
namespace {

TEST(SessionLanguage, IsTheConfiguredOne) {
  SessionLanguage language("de-AT");
  EXPECT_FALSE(language.is_automatic());
  EXPECT_FALSE(language.is_undecided());
  EXPECT_FALSE(language.add("en"));
  language.decide("en");
  EXPECT_EQ(language.language(), "de-AT");
}

TEST(SessionLanguage, IsDecidedOnceByTwoTextsInARowThatAgree) {
  SessionLanguage language("auto");
  EXPECT_TRUE(language.is_undecided());
  EXPECT_FALSE(language.add("ja"));
  EXPECT_FALSE(language.add("en"));
  EXPECT_EQ(language.language(), "");
  EXPECT_TRUE(language.add("en"));
  EXPECT_EQ(language.language(), "en");
  EXPECT_FALSE(language.add("hi"));
  EXPECT_FALSE(language.add("hi"));
  EXPECT_EQ(language.language(), "en");
}

TEST(SessionLanguage, IsNotDecidedByWhatNamesNone) {
  SessionLanguage language("");
  EXPECT_FALSE(language.add("en"));
  EXPECT_FALSE(language.add(""));
  EXPECT_TRUE(language.add("en"));
}

TEST(SessionLanguage, IsTheOneThatAJournalSays) {
  SessionLanguage language("auto");
  language.decide("fr");
  EXPECT_TRUE(language.is_automatic());
  EXPECT_EQ(language.language(), "fr");
}

}  // namespace
}  // namespace dictum::recorder
