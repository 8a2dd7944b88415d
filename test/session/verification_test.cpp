#include "session/verification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dictum/error.hpp"
#include "session/index.hpp"
#include "session/library.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;
using test::content_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kLater = test::kStarted + std::chrono::hours(1);

class Verified : public testing::Test {
 protected:
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const SessionProblem& problem : verify(session_).problems) found.push_back(problem.file);
    return found;
  }

  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(session_)) {
      if (entry.is_regular_file()) found[entry.path().lexically_relative(session_)] = content_of(entry.path());
    }
    return found;
  }

  const test::TemporaryDirectory root_;
  const fs::path session_ = test::make_session(root_.path());
};

TEST_F(Verified, ASessionThatIsWholeHasNoProblemsAndIsNotChanged) {
  const auto before = contents();
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_TRUE(verify(session_).is_finished);
  const SessionCheck repaired = repair(session_, kLater);
  EXPECT_THAT(repaired.problems, IsEmpty());
  EXPECT_THAT(repaired.repairs, IsEmpty());
  EXPECT_EQ(contents(), before);
}

TEST_F(Verified, EveryDerivedFileIsComparedAndMadeAgain) {
  const auto before = contents();
  std::string note;
  for (const auto& [name, content] : before) {
    if (name.starts_with("notes/")) note = name;
  }
  for (const std::string& file : {std::string("manifest.json"), std::string("transcript_raw.txt"),
                                  std::string("transcript_incremental.txt"), note}) {
    SCOPED_TRACE(file);
    fs::remove(session_ / file);
    EXPECT_THAT(files(), testing::Contains(file));
    const SessionCheck repaired = repair(session_, kLater);
    EXPECT_THAT(repaired.problems, IsEmpty());
    EXPECT_THAT(repaired.repairs, testing::Not(IsEmpty()));
    EXPECT_TRUE(fs::exists(session_ / file));
    if (file != "manifest.json") EXPECT_EQ(content_of(session_ / file), before.at(file));
  }
}

TEST_F(Verified, ANoteThatIsALinkIsMissingWhereverItLeads) {
  const auto before = contents();
  for (const auto& [name, content] : before) {
    if (!name.starts_with("notes/")) continue;
    fs::rename(session_ / name, root_ / "elsewhere.md");
    fs::create_symlink(root_ / "elsewhere.md", session_ / name);
    EXPECT_THAT(files(), ElementsAre(name));
    EXPECT_THAT(repair(session_, kLater).problems, IsEmpty());
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(session_ / name)));
  }
}

TEST_F(Verified, AManifestThatContradictsTheJournalIsMadeAgain) {
  const std::string before = content_of(session_ / "manifest.json");
  Manifest manifest = read_manifest(session_);
  manifest.segments.front().text = "something else";
  write_manifest(session_, manifest);
  EXPECT_THAT(files(), ElementsAre("manifest.json"));
  EXPECT_THAT(repair(session_, kLater).problems, IsEmpty());
  EXPECT_EQ(content_of(session_ / "manifest.json"), before);
}

TEST_F(Verified, AChangedLineOfTheJournalIsNamedAndThenRecorded) {
  std::string journal = content_of(session_ / "events.jsonl");
  journal[journal.find('\n') + 30] ^= 1;
  test::write_file(session_ / "events.jsonl", journal);
  EXPECT_THAT(verify(session_).problems.front().what, HasSubstr("Line 2 of the journal"));
  const SessionCheck repaired = repair(session_, kLater);
  EXPECT_THAT(repaired.problems, IsEmpty());
  EXPECT_THAT(repaired.known_losses, ElementsAre(HasSubstr("line 2")));
  EXPECT_TRUE(content_of(session_ / "events.jsonl").starts_with(journal)) << "the damage stays to be seen";
  const auto after = contents();
  EXPECT_THAT(repair(session_, kLater).repairs, IsEmpty());
  EXPECT_EQ(contents(), after);
}

TEST_F(Verified, ASoundFileThatIsMissingCannotBeMadeAgain) {
  fs::remove(session_ / "seg_0000.wav");
  EXPECT_THAT(files(), ElementsAre("seg_0000.wav"));
  const SessionCheck repaired = repair(session_, kLater);
  ASSERT_THAT(repaired.problems, testing::SizeIs(1));
  EXPECT_FALSE(repaired.problems[0].can_be_repaired);
}

TEST_F(Verified, ASoundFileThatTheJournalDoesNotKnowIsTakenIn) {
  fs::copy(session_ / "seg_0000.wav", session_ / "seg_0009.wav");
  EXPECT_THAT(files(), ElementsAre("seg_0009.wav"));
  const SessionCheck repaired = repair(session_, kLater);
  EXPECT_THAT(repaired.problems, IsEmpty());
  EXPECT_NE(read_manifest(session_).find(9), nullptr);
  EXPECT_FALSE(repaired.is_finished) << "its text is still to come";
}

TEST_F(Verified, ASessionThatTheIndexLostIsTakenInAgain) {
  SessionIndex(root_.path()).rebuild();
  EXPECT_THAT(files(), IsEmpty());
  fs::remove(SessionIndex::file_in(root_.path()));
  {
    const SessionIndex empty(root_.path());
  }
  EXPECT_THAT(files(), ElementsAre("../index.sqlite"));
  EXPECT_THAT(repair(session_, kLater).problems, IsEmpty());
}

TEST_F(Verified, ASessionOfANewerVersionIsLeftAsItIs) {
  test::write_file(session_ / "manifest.json", R"({"schema": 99})");
  const auto before = contents();
  EXPECT_THAT(files(), ElementsAre("manifest.json"));
  EXPECT_THROW(repair(session_, kLater), RecorderError);
  EXPECT_EQ(contents(), before);
}

TEST_F(Verified, ASessionThatIsWorkedOnIsNotRepaired) {
  const SessionWriter writer = SessionWriter::reopen(session_);
  EXPECT_TRUE(verify(session_).is_open);
  EXPECT_THROW(repair(session_, kLater), RecorderError);
}

TEST(UnverifiedSession, ThatIsNotThereIsRefused) {
  const test::TemporaryDirectory root;
  EXPECT_THROW(verify(root / "missing"), RecorderError);
}

}  // namespace
}  // namespace dictum::session
