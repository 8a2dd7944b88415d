#include "recorder/replacements.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dictum::recorder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TranscriptionOutcome said(std::string text, std::vector<Word> words = {}) {
  TranscriptionOutcome outcome;
  outcome.text = std::move(text);
  outcome.words = std::move(words);
  return outcome;
}

TEST(Replacements, CorrectWholeWordsWithoutCaseAndSayWhatWasWritten) {
  const Replacements replacements({{"cube control", "kubectl"}, {"ann", "Anne"}});
  auto outcome = said("Ann, run Cube Control for anna.");
  EXPECT_THAT(replacements.apply(outcome),
              ElementsAre(Replacement{"Ann", "Anne"}, Replacement{"Cube Control", "kubectl"}));
  EXPECT_EQ(outcome.text, "Anne, run kubectl for anna.");
}

TEST(Replacements, TakeTheLongestAndCorrectNothingTwice) {
  const Replacements replacements({{"new", "old"}, {"new york", "New Amsterdam"}, {"old", "new"}});
  auto outcome = said("new york, old and new");
  EXPECT_EQ(replacements.apply(outcome).size(), 3U);
  EXPECT_EQ(outcome.text, "New Amsterdam, new and old");
}

TEST(Replacements, OfWhatIsWrittenRightAlreadyAreNone) {
  const Replacements replacements({{"dictum", "Dictum"}});
  auto outcome = said("Dictum is Dictum.");
  EXPECT_THAT(replacements.apply(outcome), IsEmpty());
  EXPECT_EQ(outcome.text, "Dictum is Dictum.");
}

TEST(Replacements, GiveTheTimeOfTheWordsToWhatStandsInTheirPlace) {
  const Replacements replacements({{"cube control", "kubectl"}, {"postgres", "Postgre SQL"}});
  auto outcome =
      said("Run cube control, postgres.",
           {{"Run", 0, 100, 0.9}, {"cube", 100, 200, 0.5}, {"control,", 200, 300, 0.7}, {"postgres.", 300, 500, 0.8}});
  replacements.apply(outcome);
  EXPECT_EQ(outcome.text, "Run kubectl, Postgre SQL.");
  EXPECT_THAT(outcome.words, ElementsAre(Word{"Run", 0, 100, 0.9}, Word{"kubectl,", 100, 300, 0.5},
                                         Word{"Postgre", 300, 400, 0.8}, Word{"SQL.", 400, 500, 0.8}));
}

TEST(Replacements, LeaveWordsAloneThatDoNotAgreeWithTheText) {
  const Replacements replacements({{"a", "b"}});
  auto outcome = said("a c", {{"a", 0, 1, 1}});
  replacements.apply(outcome);
  EXPECT_EQ(outcome.text, "b c");
  EXPECT_THAT(outcome.words, ElementsAre(Word{"a", 0, 1, 1}));
}

TEST(Replacements, WorkInWritingsWithoutSpaces) {
  const Replacements replacements({{"東京", "Tōkyō"}});
  auto outcome = said("東京に行きます");
  EXPECT_EQ(replacements.apply(outcome).size(), 1U);
  EXPECT_EQ(outcome.text, "Tōkyōに行きます");
}

}  // namespace
}  // namespace dictum::recorder
