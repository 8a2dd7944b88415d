#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "journal/journal_reader.hpp"
#include "session/library.hpp"
#include "session/recovery.hpp"
#include "session/revision.hpp"
#include "session/scribe.hpp"
#include "session/verification.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"

/// Sessions as released versions wrote them, one folder of `released` a schema: each has a finished session and one
/// that was killed. They are never written again; a new schema adds a folder.
namespace dictum::session {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

constexpr auto kNow = test::kStarted + std::chrono::hours(24 * 365);

class Released : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::copy(fs::path(DICTUM_RELEASED_SESSIONS) / GetParam(), root_ / "sessions", fs::copy_options::recursive);
    for (const auto& entry : fs::recursive_directory_iterator(root_.path())) {
      const auto mode = fs::perms::owner_read | fs::perms::owner_write;
      fs::permissions(entry.path(), entry.is_directory() ? fs::perms::owner_all : mode);
    }
  }

  fs::path finished() const { return root_ / "sessions" / "20261126_054959"; }
  fs::path killed() const { return root_ / "sessions" / "20261126_055000"; }

  const test::TemporaryDirectory root_;
};

TEST_P(Released, SessionIsWhole) {
  const SessionCheck check = verify(finished());
  for (const SessionProblem& problem : check.problems) ADD_FAILURE() << problem.file << ": " << problem.what;
  EXPECT_TRUE(check.is_finished);
  EXPECT_THAT(test::grammar_violations(finished()), IsEmpty());
  const Manifest manifest = read_manifest(finished());
  ASSERT_EQ(manifest.segments.size(), 3u);
  EXPECT_EQ(manifest.segments[1].text, "the first line of it");
  EXPECT_EQ(manifest.notes.size(), 1u);
}

TEST_P(Released, SessionTakesARevisionAndItsJournalIsChainedFromThere) {
  TranscriptionComplete better;
  better.text = "a better line";
  better.success = true;
  better.edited = true;
  {
    SessionWriter writer = SessionWriter::reopen(finished());
    add_revision(writer, 1, better, kNow);
    writer.finish(std::nullopt);
  }
  EXPECT_EQ(read_manifest(finished()).segments[1].text, "a better line");
  EXPECT_THAT(verify(finished()).problems, IsEmpty());
  journal::JournalReader reader(finished());
  while (reader.next()) {
  }
  EXPECT_THAT(reader.problems(), IsEmpty());
}

TEST_P(Released, SessionThatWasKilledIsRecovered) {
  ASSERT_THAT(find_unfinished(root_ / "sessions"), testing::SizeIs(1));
  SessionWriter writer = SessionWriter::reopen(killed());
  EXPECT_FALSE(recover(writer, kNow).jobs.empty());
  writer.finish(std::nullopt);
  EXPECT_THAT(test::grammar_violations(killed(), {.transcription_may_be_pending = true}), IsEmpty());
}

TEST_P(Released, SessionWithoutItsManifestIsRebuilt) {
  const auto segments = read_manifest(finished()).segments;
  fs::remove(finished() / "manifest.json");
  EXPECT_THAT(repair(finished(), kNow).problems, IsEmpty());
  EXPECT_EQ(read_manifest(finished()).segments, segments);
}

INSTANTIATE_TEST_SUITE_P(Schemas, Released, testing::Values("schema1"), [](const auto& each) { return each.param; });

}  // namespace
}  // namespace dictum::session
