#include "recorder/abandonment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dictum::recorder {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Abandonment abandonment() {
  return {.session = "/sessions/one", .sample_rate = 16000, .written_until = 16000 * 12};
}

TEST(AbandonmentMessage, OfADeviceSaysThatWhatItDeliveredIsThere) {
  auto of_device = abandonment();
  of_device.disk_answers = true;
  EXPECT_THAT(describe(of_device),
              AllOf(HasSubstr("audio device did not answer"), HasSubstr("12.0 s"), HasSubstr("/sessions/one"),
                    HasSubstr("dictum resume"), Not(HasSubstr("missing"))));
}

TEST(AbandonmentMessage, OfADiskSaysWhatMayBeMissing) {
  auto of_disk = abandonment();
  of_disk.events_waiting = 3;
  EXPECT_THAT(describe(of_disk), HasSubstr("The audio after 12.0 s and 3 events may be missing in '/sessions/one'"));
}

TEST(AbandonmentMessage, OfFilesThatCouldNotBeCompletedPromisesNothing) {
  auto of_files = abandonment();
  of_files.capture_is_closed = true;
  EXPECT_THAT(describe(of_files), AllOf(HasSubstr("not known to be safe"), Not(HasSubstr("may be missing"))));
}

TEST(AbandonmentMessage, DoesNotHideThatAudioCouldNotBeWritten) {
  auto with_losses = abandonment();
  with_losses.disk_answers = true;
  with_losses.audio_failed = true;
  EXPECT_THAT(describe(with_losses), HasSubstr("Some of the audio before that could not be written."));
}

}  // namespace
}  // namespace dictum::recorder
