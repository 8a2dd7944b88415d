#include "recorder/change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dictum/error.hpp"

namespace dictum::recorder {
namespace {

using testing::ElementsAre;
using Applies = Change::Applies;

TEST(Change, ADeviceIsForTheNextStartAndForTheCaptureUnderWay) {
  const auto change = change_of(SetDevice{"headset"});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->applies, Applies::whenever);
  RecorderConfig config;
  change->for_next_start(config);
  EXPECT_EQ(config.capture.device, "headset");
  EXPECT_TRUE(change->in_capture);
  EXPECT_FALSE(change->in_core);
}

TEST(Change, AVocabularyReplacesTheConfiguredListAndFile) {
  const auto change = change_of(SetVocabulary{{"Dictum"}});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->applies, Applies::to_texts);
  RecorderConfig config;
  config.transcription.vocabulary = {"before"};
  config.transcription.vocabulary_file = "terms.txt";
  change->for_next_start(config);
  EXPECT_THAT(config.transcription.vocabulary, ElementsAre("Dictum"));
  EXPECT_EQ(config.transcription.vocabulary_file, std::filesystem::path());
  EXPECT_TRUE(change->in_core);
}

TEST(Change, AVocabularyThatCannotBeUsedIsAnError) {
  try {
    change_of(SetVocabulary{{"two\nlines"}});
    FAIL() << "It was accepted.";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::config_invalid);
  }
}

TEST(Change, MutingConcernsTheCoreAndCaptureOfARecordingUnderWay) {
  const auto change = change_of(SetMuted{true});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->applies, Applies::while_recording);
  EXPECT_FALSE(change->for_next_start);
  EXPECT_TRUE(change->in_core);
  EXPECT_TRUE(change->in_capture);
}

TEST(Change, TheModeAndTheEndOfANoteConcernTheCoreAlone) {
  for (const Command& command : {Command(SetVADMode{VADMode::long_note}), Command(CompleteNote{})}) {
    const auto change = change_of(command);
    ASSERT_TRUE(change);
    EXPECT_EQ(change->applies, Applies::while_recording);
    EXPECT_TRUE(change->in_core);
    EXPECT_FALSE(change->in_capture);
  }
}

TEST(Change, ACommandThatBeginsEndsOrWaitsIsNone) {
  for (const Command& command :
       {Command(StartRecording{}), Command(CancelStart{}), Command(StopRecording{}), Command(PauseRecording{}),
        Command(ResumeRecording{}), Command(RetryFailed{}), Command(WaitUntilIdle{})}) {
    EXPECT_FALSE(change_of(command));
  }
}

}  // namespace
}  // namespace dictum::recorder
