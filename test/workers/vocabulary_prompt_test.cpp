#include "vocabulary_prompt.hpp"

#include <gtest/gtest.h>

namespace dictum::workers {
namespace {

TEST(VocabularyPrompt, NamesTheTermsInASentence) {
  EXPECT_EQ(vocabulary_prompt({"Kovacs", "Tallinn"}, "", 100), "Glossary: Kovacs, Tallinn.");
}

TEST(VocabularyPrompt, HoldsTheFirstTermsThatFitAndNoPartOfAnother) {
  EXPECT_EQ(vocabulary_prompt({"Kovacs", "Tallinn", "Narva"}, "", 27), "Glossary: Kovacs, Tallinn.");
  EXPECT_EQ(vocabulary_prompt({"Kovacs", "Tallinn"}, "", 25), "Glossary: Kovacs.");
  EXPECT_EQ(vocabulary_prompt({"Kovacs"}, "", 3), "");
}

TEST(VocabularyPrompt, IsFollowedByWhatWasSaidBeforeWhereThatFits) {
  EXPECT_EQ(vocabulary_prompt({"Kovacs"}, "And so.", 100), "Glossary: Kovacs. And so.");
  EXPECT_EQ(vocabulary_prompt({"Kovacs"}, "And so.", 20), "Glossary: Kovacs.");
  EXPECT_EQ(vocabulary_prompt({}, "And so.", 3), "And so.");
  EXPECT_EQ(vocabulary_prompt({}, "", 100), "");
}

}  // namespace
}  // namespace dictum::workers
