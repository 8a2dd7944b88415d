#include "session/revision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dictum/error.hpp"
#include "session/scribe.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using test::content_of;
using test::grammar_violations;
using test::make_session;
using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::IsEmpty;

TranscriptionComplete text(const std::string& words) {
  TranscriptionComplete result;
  result.text = words;
  result.success = true;
  return result;
}

TranscriptionComplete failure() {
  TranscriptionComplete result;
  result.error = EventError{"worker_died", "it died"};
  return result;
}

class Revision : public testing::Test {
 protected:
  void revise(const std::filesystem::path& session, std::uint32_t segment, std::vector<TranscriptionComplete> results) {
    SessionWriter writer = SessionWriter::reopen(session);
    for (auto& result : results)
      add_revision(writer, segment, std::move(result), test::kStarted + std::chrono::hours(1));
    writer.finish(std::nullopt);
  }
  const TemporaryDirectory root_;
};

TEST_F(Revision, IsShownInThePlaceOfTheOldText) {
  const auto session = make_session(root_.path());
  revise(session, 2, {text("milk and money"), text("silk and money")});
  EXPECT_THAT(grammar_violations(session), IsEmpty());
  EXPECT_EQ(read_manifest(session).segments[2].revision, 2);
  EXPECT_THAT(content_of(session / "transcript_raw.txt"), HasSubstr("silk and money"));
}

TEST_F(Revision, ThatFailedTakesNothingAwayAndHasItsNumber) {
  const auto session = make_session(root_.path());
  revise(session, 2, {failure(), text("silk and money")});
  EXPECT_THAT(grammar_violations(session), IsEmpty());
  EXPECT_EQ(read_manifest(session).segments[2].revision, 2);
}

TEST_F(Revision, OfASegmentThatWasNeverQueuedQueuesIt) {
  const auto session = make_session(root_.path(), false);
  for (const std::uint32_t segment : {0u, 2u, 3u}) revise(session, segment, {text("words at last")});
  EXPECT_THAT(grammar_violations(session), IsEmpty());
  EXPECT_EQ(read_manifest(session).segments[0].status, SegmentStatus::done);
}

TEST_F(Revision, NeedsAKeptSegment) {
  const auto session = make_session(root_.path());
  SessionWriter writer = SessionWriter::reopen(session);
  EXPECT_THROW(add_revision(writer, 1, text("x"), test::kStarted), RecorderError);
  EXPECT_THROW(add_revision(writer, 9, text("x"), test::kStarted), RecorderError);
  writer.finish(std::nullopt);
  EXPECT_THAT(grammar_violations(session), IsEmpty());
}

}  // namespace
}  // namespace dictum::session
