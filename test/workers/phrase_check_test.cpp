#include "phrase_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dictum::workers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kCommands = notes::PhraseMatcher(notes::NotePhrases::english()).commands();
const WorkerAudio kAudio{.samples = {}, .sample_rate = 48000, .first_frame = 4800, .frames = 96000};

TEST(PhraseCheck, AsksForASecondDecodingOnlyWhereATextSoundsLikeAPhrase) {
  const PhraseCheck check(kCommands);
  for (const char* text : {"End out.", "This part of the note.", "It's time to naught.", "Hey victim, and out."})
    EXPECT_TRUE(check.is_worthwhile(text)) << text;
  for (const char* text : {"End note.", "Start a new note. Groceries.", "Milk, eggs and bread.", "Thank you.", ""})
    EXPECT_FALSE(check.is_worthwhile(text)) << text;
  EXPECT_FALSE(PhraseCheck({}).is_worthwhile("End out."));
}

TEST(PhraseCheck, TellsTheEngineThePhrasesAsSentences) {
  EXPECT_EQ(PhraseCheck({"start a new note", "end note"}).prompt(), "Start a new note. End note.");
  EXPECT_EQ(PhraseCheck({"", "\u00e9couter"}).prompt(), "\u00e9couter.");
  EXPECT_LT(PhraseCheck(std::vector<std::string>(200, "start a new note")).prompt().size(), 800U);
}

TEST(PhraseCheck, ConfirmsThePhraseThatTheSecondTextHasWordForWord) {
  const PhraseCheck check(kCommands);
  EXPECT_THAT(check.confirmed("End out.", "End note.", kAudio),
              ElementsAre(DetectedPhrase{"end note", notes::kConfirmedPhrase, 4800, 100800}));
  EXPECT_THAT(check.confirmed("End out.", "End out.", kAudio), IsEmpty());
  EXPECT_THAT(check.confirmed("End out.", "Stop recording.", kAudio), IsEmpty()) << "sounds like another command";
  EXPECT_THAT(check.confirmed("Milk and eggs.", "End note.", kAudio), IsEmpty()) << "the prompt speaks";
}

TEST(PhraseCheck, ConfirmsPhrasesOfAnyLanguage) {
  const PhraseCheck check({"neue notiz", "notiz beenden"});
  EXPECT_THAT(check.confirmed("Neue Notis.", "Neue Notiz.", kAudio), IsEmpty()) << "the text has it already";
  EXPECT_THAT(check.confirmed("Noti's bändern.", "Notiz beenden.", kAudio),
              ElementsAre(DetectedPhrase{"notiz beenden", notes::kConfirmedPhrase, 4800, 100800}));
}

}  // namespace
}  // namespace dictum::workers
