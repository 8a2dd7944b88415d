#include "session/library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "session/index.hpp"
#include "session/scribe.hpp"
#include "session/verification.hpp"
#include "session/wav_repair.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using std::chrono::hours;
using test::content_of;
using test::kStarted;
using test::make_session;
using test::Scribe;
using test::TemporaryDirectory;
using test::write_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class Library : public testing::Test {
 protected:
  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const ListedSession& each : list_sessions(root_.path())) found.push_back(each.name);
    return found;
  }

  fs::path make_empty(std::chrono::system_clock::time_point started) {
    SessionWriter writer = SessionWriter::create(root_.path(), started, test::info());
    Scribe scribe(writer);
    scribe.start();
    scribe.stop();
    scribe.finish();
    return writer.path();
  }

  Errc code_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const RecorderError& error) {
      message_ = error.what();
      return static_cast<Errc>(error.code().value());
    }
    return {};
  }

  const TemporaryDirectory root_;
  std::string message_;
};

TEST_F(Library, ListsSessionsFromTheOldest) {
  make_empty(kStarted);
  make_empty(kStarted - hours(1));
  for (int i = 0; i < 10; ++i) make_empty(kStarted);
  const auto found = names();
  ASSERT_THAT(found, SizeIs(12));
  EXPECT_EQ(found[0], "20261122_144501");
  EXPECT_EQ(found[1], "20261122_154501");
  EXPECT_EQ(found[2], "20261122_154501-2");
  EXPECT_EQ(found[11], "20261122_154501-11");
}

TEST_F(Library, ListsWhatIsWrongWithASession) {
  fs::create_directory(root_ / "20200101_000000");
  fs::create_directory(root_ / "20200101_000001");
  write_file(root_ / "20200101_000001" / "manifest.json", "{");
  fs::create_directory(root_ / "20200101_000002");
  write_file(root_ / "20200101_000002" / "manifest.json", R"({"schema":7})");
  fs::create_directory(root_ / "a copy");
  write_file(root_ / "a copy" / "events.jsonl", "");
  const auto sessions = list_sessions(root_.path());
  ASSERT_THAT(sessions, SizeIs(4));
  EXPECT_THAT(sessions[0].problem, HasSubstr("No such file"));
  EXPECT_THAT(sessions[1].problem, HasSubstr("The manifest is damaged"));
  EXPECT_THAT(sessions[2].problem, HasSubstr("newer version"));
  EXPECT_THAT(sessions[3].problem, HasSubstr("No such file"));
}

TEST_F(Library, DoesNotListOtherThings) {
  fs::create_directory(root_ / "photos");
  fs::create_directory(root_ / ".deleted-20200101_000000");
  write_file(root_ / "20200101_000000", "a file");
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(Library, IsEmptyWhereTheRootIsMissing) {
  EXPECT_THAT(list_sessions(root_ / "missing"), IsEmpty());
  write_file(root_ / "file", "x");
  EXPECT_THROW(list_sessions(root_ / "file"), RecorderError);
}

TEST_F(Library, SaysWhichSessionIsOpen) {
  const SessionWriter writer = SessionWriter::create(root_.path(), kStarted, test::info());
  EXPECT_TRUE(look_at_session(writer.path()).is_open);
  EXPECT_FALSE(look_at_session(make_empty(kStarted)).is_open);
}

TEST_F(Library, FindsASessionByNameBeginningPathAndAge) {
  const fs::path first = make_empty(kStarted - hours(1));
  const fs::path last = make_empty(kStarted);
  EXPECT_EQ(find_session(root_.path(), "20261122_144501"), first);
  EXPECT_EQ(find_session(root_.path(), "20261122_15"), last);
  EXPECT_EQ(find_session(root_.path(), "last"), last);
  EXPECT_EQ(find_session("/nowhere", first.string() + "/"), first);
}

TEST_F(Library, GoesByTheStartAndNotByTheName) {
  const fs::path tokyo = make_empty(kStarted);  // named by an older version, in local time
  fs::rename(tokyo, root_ / "20261123_004501");
  const fs::path newest = make_empty(kStarted + hours(1));
  EXPECT_EQ(find_session(root_.path(), "last"), newest);
  EXPECT_THAT(names(), ElementsAre("20261123_004501", newest.filename()));
  EXPECT_THAT(prune(root_.path(), {.before = kStarted + std::chrono::minutes(30)}).removed,
              ElementsAre(root_ / "20261123_004501"));
}

TEST_F(Library, TakesARenamedSessionForTheLastWhereItBeganLast) {
  make_empty(kStarted);
  fs::rename(make_empty(kStarted + hours(1)), root_ / "meeting");
  EXPECT_EQ(find_session(root_.path(), "last"), root_ / "meeting");
}

TEST_F(Library, SaysThatThereIsNoSuchSession) {
  make_empty(kStarted);
  make_empty(kStarted - hours(1));
  for (const char* wrong : {"", "2025", "..", "/nonexistent", "lost"}) {
    EXPECT_EQ(code_of([&] { find_session(root_.path(), wrong); }), Errc::input_not_found) << wrong;
  }
  EXPECT_EQ(code_of([&] { find_session(root_.path(), "20261122"); }), Errc::input_not_found);
  EXPECT_THAT(message_, HasSubstr("2 begin like that, from '20261122_144501' to '20261122_154501'"));
  EXPECT_EQ(code_of([&] { find_session(root_ / "missing", "last"); }), Errc::input_not_found);
}

TEST_F(Library, FindsNoProblemsInAWholeSession) {
  EXPECT_THAT(verify(make_session(root_.path())).sentences(), IsEmpty());
}

TEST_F(Library, FindsEveryProblemOfASession) {
  const fs::path session = make_session(root_.path());
  write_file(session / "events.jsonl", "damage\n" + content_of(session / "events.jsonl") + "torn");
  fs::remove(session / "seg_0000.wav");
  set_frames(journal::SessionFolder(session), "seg_0002.wav", 7, 16000);
  write_file(session / "seg_0003.wav", std::string(100, 'x'));
  fs::remove_all(session / "notes");
  EXPECT_THAT(verify(session).sentences(),
              ElementsAre(HasSubstr("Line 1 of the journal is wrong: not an event"),
                          HasSubstr("The last line of the journal is torn"), HasSubstr("seg_0000.wav is missing"),
                          HasSubstr("seg_0002.wav has 7 frames, and"), HasSubstr("seg_0003.wav' is no recording"),
                          HasSubstr("The note 'notes/0001-note.md' is missing")));
}

TEST_F(Library, CountsTheBytesOfASession) {
  const fs::path session = make_empty(kStarted);
  const std::uintmax_t before = size_of(session);
  fs::create_directory(session / "notes");
  write_file(session / "notes" / "x", "12345");
  EXPECT_EQ(size_of(session), before + 5);
}

TEST_F(Library, DeletesASessionWhole) {
  const fs::path session = make_session(root_.path());
  const fs::path other = make_session(root_.path());
  delete_session(session);
  EXPECT_THAT(names(), ElementsAre(other.filename()));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_.path()), {}), 1);
}

TEST_F(Library, ClearsUpBehindADeletionThatWasInterrupted) {
  const fs::path session = make_session(root_.path());
  fs::create_directory(root_ / (".deleted-" + session.filename().string()));
  write_file(root_ / (".deleted-" + session.filename().string()) / "rest", "x");
  delete_session(session);
  EXPECT_TRUE(fs::is_empty(root_.path()));
}

TEST_F(Library, RemovesWhatKilledProcessesLeftBesideTheSessions) {
  const fs::path session = make_session(root_.path());
  const fs::path other = make_session(root_.path());
  fs::rename(other, root_ / ".deleted-20200101_000000");
  const SessionWriter writer = SessionWriter::create(root_.path(), kStarted, test::info());
  fs::rename(writer.path(), root_ / ".deleted-20200202_000000");  // another process is deleting it
  write_file(root_ / ".deleted-mine", "x");
  fs::create_directory(root_ / ".deleted-by me");
  fs::create_directory_symlink(session, root_ / ".deleted-20200303_000000");
  fs::create_directory(root_ / ".dictum-scratch-abcdef");
  write_file(root_ / ".dictum-scratch-abcdef/speech.wav", "x");
  remove_remains(root_.path());
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(root_.path())) left.push_back(entry.path().filename());
  EXPECT_THAT(left, UnorderedElementsAre(session.filename().string(), ".deleted-20200202_000000", ".deleted-mine",
                                         ".deleted-by me", ".deleted-20200303_000000"));
}

TEST_F(Library, DeletesFromTheIndexToo) {
  const fs::path session = make_session(root_.path());
  SessionIndex(root_.path()).refresh();
  delete_session(session);
  SessionSearch all;
  EXPECT_THAT(SessionIndex(root_.path()).search(all), IsEmpty());
}

TEST_F(Library, DoesNotDeleteWhatSomebodyWorksOn) {
  const SessionWriter writer = SessionWriter::create(root_.path(), kStarted, test::info());
  EXPECT_EQ(code_of([&] { delete_session(writer.path()); }), Errc::session_locked);
  EXPECT_TRUE(fs::exists(writer.path() / "manifest.json"));
}

TEST_F(Library, DoesNotDeleteWhatIsNoSession) {
  fs::create_directory(root_ / "photos");
  write_file(root_ / "photos" / "cat.jpg", "x");
  EXPECT_EQ(code_of([&] { delete_session(root_ / "photos"); }), Errc::session_unreadable);
  EXPECT_EQ(code_of([&] { delete_session(root_ / "missing"); }), Errc::session_unreadable);
  EXPECT_TRUE(fs::exists(root_ / "photos" / "cat.jpg"));
}

TEST_F(Library, DoesNotDeleteTheManifestOfSomethingElse) {
  const fs::path folder = root_ / "20261122_154501";
  const auto make = [&](const char* manifest, bool journal) {
    fs::remove_all(folder);
    fs::create_directories(folder / "js");
    write_file(folder / "js" / "a.js", "code");
    write_file(folder / "manifest.json", manifest);
    if (journal) write_file(folder / "events.jsonl", "");
  };
  for (const char* manifest : {R"({"manifest_version":3,"name":"an extension"})", "{", "[]", R"({"schema":99})"}) {
    for (const bool journal : {false, true}) {
      make(manifest, journal);
      EXPECT_EQ(code_of([&] { delete_session(folder); }), Errc::session_unreadable) << manifest;
      EXPECT_TRUE(fs::exists(folder / "js" / "a.js")) << manifest;
    }
  }
}

TEST_F(Library, DoesNotDeleteASessionWithoutAJournalOrThroughALink) {
  const fs::path session = make_session(root_.path());
  fs::create_directory_symlink(session, root_ / "link");
  EXPECT_EQ(code_of([&] { delete_session(root_ / "link"); }), Errc::session_unreadable);
  fs::remove(session / "events.jsonl");
  fs::create_symlink("/etc/hostname", session / "events.jsonl");
  EXPECT_EQ(code_of([&] { delete_session(session); }), Errc::session_unreadable);
  fs::remove(session / "events.jsonl");
  EXPECT_EQ(code_of([&] { delete_session(session); }), Errc::session_unreadable);
  EXPECT_TRUE(fs::exists(session / "manifest.json"));
}

TEST_F(Library, PrunesWhatIsOldEnough) {
  const fs::path old = make_empty(kStarted - hours(48));
  make_empty(kStarted);
  const Pruned pruned = prune(root_.path(), {.before = kStarted - hours(24)});
  EXPECT_THAT(pruned.removed, ElementsAre(old));
  EXPECT_GT(pruned.bytes, 0u);
  EXPECT_THAT(names(), ElementsAre("20261122_154501"));
}

TEST_F(Library, OnlyListsInADryRun) {
  const fs::path old = make_empty(kStarted);
  const Pruned pruned = prune(root_.path(), {.before = kStarted + hours(1), .dry_run = true});
  EXPECT_THAT(pruned.removed, ElementsAre(old));
  EXPECT_THAT(names(), SizeIs(1));
}

TEST_F(Library, KeepsSessionsWithNotesUnlessThatIsSwitchedOff) {
  make_session(root_.path());
  const Pruned kept = prune(root_.path(), {.before = kStarted + hours(1)});
  EXPECT_THAT(kept.removed, IsEmpty());
  ASSERT_THAT(kept.left, SizeIs(1));
  EXPECT_EQ(kept.left[0].reason, "it has notes");
  EXPECT_THAT(prune(root_.path(), {.before = kStarted + hours(1), .keep_notes = false}).removed, SizeIs(1));
}

TEST_F(Library, StopsPruningWhenAStopIsRequested) {
  const fs::path oldest = make_empty(kStarted - hours(2));
  make_empty(kStarted - hours(1));
  int asked = 0;
  const Pruned pruned = prune(root_.path(), {.before = kStarted, .goes_on = [&asked] { return asked++ == 0; }});
  EXPECT_THAT(pruned.removed, ElementsAre(oldest));
  EXPECT_THAT(names(), SizeIs(1));
}

TEST_F(Library, PrunesNothingThatIsOpenUnfinishedOrUnreadable) {
  const SessionWriter open = SessionWriter::create(root_.path(), kStarted, test::info());
  {
    const SessionWriter interrupted = SessionWriter::create(root_.path(), kStarted, test::info());
  }
  fs::create_directory(root_ / "20200101_000000");
  const Pruned pruned = prune(root_.path(), {.before = kStarted + hours(1)});
  EXPECT_THAT(pruned.removed, IsEmpty());
  ASSERT_THAT(pruned.left, SizeIs(3));
  EXPECT_THAT(pruned.left[0].reason, HasSubstr("No such file"));
  EXPECT_EQ(pruned.left[1].reason, "it is being worked on");
  EXPECT_EQ(pruned.left[2].reason, "it is not finished");
}

TEST_F(Library, TellsAnIndexThatIsThereAndMakesNone) {
  update_index(make_session(root_.path()));
  EXPECT_FALSE(fs::exists(SessionIndex::file_in(root_.path())));
  {
    SessionIndex index(root_.path());
  }
  update_index(make_session(root_.path()));
  SessionSearch query;
  query.text = "honey";
  EXPECT_THAT(SessionIndex(root_.path()).search(query), SizeIs(1));
}

}  // namespace
}  // namespace dictum::session
