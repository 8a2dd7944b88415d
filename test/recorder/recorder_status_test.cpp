#include "recorder/recorder_status.hpp"

#include <gtest/gtest.h>

namespace dictum::recorder {
namespace {

TEST(RecorderStatus, IsIdleWithoutASessionBeforeTheFirstStart) {
  const RecorderStatus status;
  EXPECT_EQ(status.state(), RecordingState::idle);
  EXPECT_FALSE(status.is_recording());
  EXPECT_FALSE(status.session_path());
}

TEST(RecorderStatus, IsRecordingFromTheStartOnPausesIncluded) {
  RecorderStatus status;
  for (const auto state : {RecordingState::recording, RecordingState::paused, RecordingState::stopping}) {
    status.state_changed(state, "/s/1");
    EXPECT_TRUE(status.is_recording());
  }
  status.state_changed(RecordingState::failed, "/s/1");
  EXPECT_FALSE(status.is_recording());
}

TEST(RecorderStatus, AStartThatFailsLeavesNoSession) {
  RecorderStatus status;
  status.state_changed(RecordingState::starting, {});
  EXPECT_TRUE(status.is_recording());
  status.state_changed(RecordingState::idle, {});
  EXPECT_EQ(status.state(), RecordingState::idle);
  EXPECT_FALSE(status.session_path());
}

TEST(RecorderStatus, AStartThatFailsChangesNothingOfASessionThatRecords) {
  RecorderStatus status;
  status.state_changed(RecordingState::recording, "/s/1");
  status.state_changed(RecordingState::idle, {});
  EXPECT_EQ(status.state(), RecordingState::recording);
}

TEST(RecorderStatus, FollowsTheFolderOfTheNewestSessionOnly) {
  RecorderStatus status;
  status.state_changed(RecordingState::recording, "/s/1");
  status.folder_moved("/s/1", "/t/1");
  EXPECT_EQ(status.session_path(), "/t/1");
  status.state_changed(RecordingState::recording, "/s/2");
  status.folder_moved("/t/1", "/u/1");
  EXPECT_EQ(status.session_path(), "/s/2");
}

}  // namespace
}  // namespace dictum::recorder
