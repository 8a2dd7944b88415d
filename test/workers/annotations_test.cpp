#include "annotations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace dictum::workers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

PartedText part(std::string_view text, bool silent = false) {
  return part_annotations(text, {}, silent);
}

TEST(Annotations, AreTakenOutOfTheTextAndKept) {
  for (const char* text : {"[BLANK_AUDIO]", "(music)", "(upbeat music)", "*coughs*", "\xE2\x99\xAA", "[ Silence ]",
                           "(humming)", "(speaking in foreign language)", "[_TT_50]"}) {
    const auto parted = part(text);
    EXPECT_EQ(parted.text, "") << text;
    EXPECT_THAT(parted.annotations, ElementsAre(text));
  }
  const auto parted = part("*coughs* And so (laughter) my fellow Americans. [BLANK_AUDIO]");
  EXPECT_EQ(parted.text, "And so my fellow Americans.");
  EXPECT_THAT(parted.annotations, ElementsAre("*coughs*", "(laughter)", "[BLANK_AUDIO]"));
  EXPECT_EQ(part("(music).").text, "");
  EXPECT_EQ(part("\xE2\x99\xAA la la \xE2\x99\xAA").text, "la la") << "the words of a song are words";
}

TEST(Annotations, LeaveWordsInBracketsThatNameNoSound) {
  for (const char* text : {"call the function (twice)", "the (human) engineer", "two * three * four", "f(x) = 1",
                           "an open [ bracket", "() and []", "half (of it"}) {
    EXPECT_EQ(part(text).text, text);
    EXPECT_THAT(part(text).annotations, IsEmpty());
  }
}

TEST(Annotations, HoldWhatWhisperWritesOverSilenceOnly) {
  for (const char* text : {"Thanks for watching!", "Thank you.", "you", "Bye-bye."}) {
    EXPECT_EQ(part(text, true).text, "") << text;
    EXPECT_THAT(part(text, true).annotations, ElementsAre(text));
    EXPECT_EQ(part(text, false).text, text) << "it may have been said";
  }
  EXPECT_EQ(part("Thank you for the music.", true).text, "Thank you for the music.");
}

TEST(Annotations, TakeTheirWordsAlong) {
  const auto parted = part_annotations("so [BLANK_AUDIO] so (upbeat music) it is",
                                       {{"so", 0, 1, 1},
                                        {"[BLANK_AUDIO]", 1, 2, 1},
                                        {"so", 2, 3, 1},
                                        {"(upbeat", 3, 4, 1},
                                        {"music)", 4, 5, 1},
                                        {"it", 5, 6, 1},
                                        {"is", 6, 7, 1}},
                                       false);
  EXPECT_EQ(parted.text, "so so it is");
  std::string said;
  for (const auto& word : parted.words) said += word.text + " ";
  EXPECT_EQ(said, "so so it is ");
}

TEST(WordTimes, AreWithinTheSegmentAndMonotone) {
  std::vector<TimedWord> words{
      {"a", -1, 0.5, 1}, {"b", 0.4, 0.3, 1}, {"c", 0.2, 2, 1}, {"d", 1, 1.2, 1}, {"e", 9, 12, 1}};
  straighten(words, 3);
  double before = 0;
  for (const auto& word : words) {
    EXPECT_GE(word.start, before) << word.text;
    EXPECT_GE(word.end, word.start) << word.text;
    EXPECT_LE(word.end, 3) << word.text;
    before = word.end;
  }
  EXPECT_EQ(words[2].end, 1) << "it ends where the next one starts";
}

}  // namespace
}  // namespace dictum::workers
