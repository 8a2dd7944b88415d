#include "session/session_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>
#include <sstream>

#include "dictum/error.hpp"
#include "journal/journal_reader.hpp"
#include "session/file_size_limit.hpp"
#include "session/scribe.hpp"
#include "session/wav_repair.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using test::content_of;
using test::FileSizeLimit;
using test::grammar_violations;
using test::info;
using test::kStarted;
using test::Scribe;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class Writing : public testing::Test {
 protected:
  SessionWriter& writer() { return *writer_; }
  fs::path file(const std::string& name) { return writer_->path() / name; }

  void reopen() {
    const fs::path path = writer_->path();
    writer_.reset();
    writer_.emplace(SessionWriter::reopen(path));
  }

  const TemporaryDirectory root_;
  std::optional<SessionWriter> writer_{SessionWriter::create(root_.path(), kStarted, info())};
};

TEST(Session, IsWholeWhenItIsFinished) {
  const TemporaryDirectory root;
  EXPECT_THAT(grammar_violations(test::make_session(root.path())), IsEmpty());
}

TEST(Session, IsWholeWithoutTranscription) {
  const TemporaryDirectory root;
  EXPECT_THAT(grammar_violations(test::make_session(root.path(), false)), IsEmpty());
}

TEST(Session, HasItsTranscripts) {
  const TemporaryDirectory root;
  const fs::path session = test::make_session(root.path());
  EXPECT_EQ(content_of(session / "transcript_raw.txt"),
            "[00:00:00.362] start a new note\n"
            "[00:00:02.162] milk and honey\n"
            "[00:00:04.187] [not transcribed: the recogniser did not answer in time]\n");
  EXPECT_EQ(content_of(session / "transcript_incremental.txt"),
            "[00:00:02.162] milk and honey\n"
            "[00:00:00.362] start a new note\n"
            "[00:00:04.187] [not transcribed: the recogniser did not answer in time]\n");
}

TEST(Session, HasItsNotes) {
  const TemporaryDirectory root;
  EXPECT_THAT(content_of(test::make_session(root.path()) / "notes" / "0001-note.md"),
              HasSubstr("# Shopping list\n\nmilk and honey\n"));
}

TEST_F(Writing, HasAManifestFromTheStart) {
  const Manifest manifest = read_manifest(writer().path());
  EXPECT_EQ(manifest.session, writer().name());
  EXPECT_EQ(manifest.started_at, kStarted);
  EXPECT_EQ(manifest.stopped_at, std::nullopt);
  EXPECT_EQ(manifest.source, "file:/tmp/memo.wav");
  EXPECT_EQ(manifest.config, info().config);
}

TEST_F(Writing, NamesFilesRelativelyInTheJournal) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  EXPECT_THAT(content_of(file("events.jsonl")), HasSubstr(R"("wav_path":"seg_0000.wav")"));
  EXPECT_THAT(content_of(file("events.jsonl")), Not(HasSubstr(writer().path().string())));
}

TEST_F(Writing, DoesNotRecordEphemeralEvents) {
  Scribe(writer()).emit(0, AudioLevel{});
  EXPECT_EQ(content_of(file("events.jsonl")), "");
  EXPECT_EQ(writer().next_sequence(), 0u);
}

TEST_F(Writing, CutsTheTailThatTurnedOutToBeSilence) {
  writer().open_segment(0, 0);
  writer().append_segment(0, std::vector<std::int16_t>(1000, 5));
  writer().close_segment(0, 300);
  EXPECT_EQ(frames_on_disk(writer().folder(), "seg_0000.wav"), 300);
}

TEST_F(Writing, LeavesTheSessionMarkedAsUnfinishedWhileATextIsToCome) {
  Scribe scribe(writer());
  scribe.start();
  const std::uint32_t index = scribe.speak(8000);
  scribe.queue(index);
  scribe.stop();
  scribe.finish();
  EXPECT_TRUE(fs::exists(file("unfinished.txt")));
  reopen();
  Scribe later(writer());
  later.transcribe(index, "late");
  later.finish();
  EXPECT_FALSE(fs::exists(file("unfinished.txt")));
}

TEST_F(Writing, NamesASegmentThatGrowsForEverySync) {
  writer().open_segment(0, 0);
  for (int sync = 0; sync < 2; ++sync) EXPECT_THAT(writer().take_unsynced(), testing::Contains("seg_0000.wav"));
}

TEST_F(Writing, RemovesADiscardedSegment) {
  writer().open_segment(0, 0);
  writer().append_segment(0, std::vector<std::int16_t>(1000, 5));
  writer().discard_segment(0);
  EXPECT_FALSE(fs::exists(file("seg_0000.wav")));
}

TEST_F(Writing, ShowsInOrderOfSpeechOnlyWhatIsSettledUpToThere) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  scribe.speak(1000);
  scribe.transcribe(1, "second");
  EXPECT_EQ(content_of(file("transcript_raw.txt")), "");
  EXPECT_EQ(content_of(file("transcript_incremental.txt")), "[00:00:00.262] second\n");
  scribe.transcribe(0, "first");
  EXPECT_EQ(content_of(file("transcript_raw.txt")), "[00:00:00.050] first\n[00:00:00.262] second\n");
}

TEST_F(Writing, ShowsANewRevisionInThePlaceOfTheOld) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  scribe.speak(1000);
  scribe.transcribe(0, "first");
  scribe.transcribe(1, "second");
  scribe.transcribe(0, "better", 1);
  EXPECT_EQ(content_of(file("transcript_raw.txt")), "[00:00:00.050] better\n[00:00:00.262] second\n");
  scribe.speak(1000);
  scribe.transcribe(2, "third");
  EXPECT_THAT(content_of(file("transcript_raw.txt")), testing::EndsWith("second\n[00:00:00.475] third\n"));
}

TEST_F(Writing, ListsWhatStillWaitsWhenItIsFinishedEarly) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  scribe.speak(1000);
  scribe.transcribe(1, "second");
  scribe.stop();
  scribe.finish();
  EXPECT_EQ(content_of(file("transcript_raw.txt")),
            "[00:00:00.050] [not transcribed: it is still waiting]\n[00:00:00.262] second\n");
}

TEST_F(Writing, IsLockedForOthers) {
  try {
    SessionWriter::reopen(writer().path());
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::session_locked);
  }
}

TEST_F(Writing, GoesOnWhereItWasReopened) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  scribe.transcribe(0, "first");
  scribe.stop();
  scribe.finish();
  const Manifest before = writer().manifest();
  reopen();
  EXPECT_EQ(writer().manifest(), before);
  Scribe again(writer());
  again.transcribe(0, "better", 1);
  again.finish();
  EXPECT_THAT(grammar_violations(writer().path()), IsEmpty());
  EXPECT_EQ(read_manifest(writer().path()).segments[0].text, "better");
}

TEST_F(Writing, MakesTranscriptsAndNotesAgainWhereTheyAreMissing) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  scribe.transcribe(0, "first");
  scribe.note("Title", "first", {0});
  const std::string note = content_of(file("notes/0001-note.md"));
  for (const char* name : {"transcript_raw.txt", "transcript_incremental.txt", "notes/0001-note.md"})
    fs::remove(file(name));
  reopen();
  EXPECT_EQ(content_of(file("transcript_raw.txt")), "[00:00:00.050] first\n");
  EXPECT_EQ(content_of(file("transcript_incremental.txt")), "[00:00:00.050] first\n");
  EXPECT_EQ(content_of(file("notes/0001-note.md")), note);
}

TEST_F(Writing, DropsATornLineWhenItIsReopened) {
  Scribe(writer()).start();
  const std::string journal = content_of(file("events.jsonl"));
  test::write_file(file("events.jsonl"), journal + R"({"event":"Spee)");
  reopen();
  EXPECT_EQ(content_of(file("events.jsonl")), journal);
  EXPECT_EQ(writer().findings().dropped_bytes, 14);
  EXPECT_EQ(writer().next_sequence(), 1u);
}

TEST_F(Writing, UsesWhatIsGoodAroundTheDamageOfAJournal) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  const fs::path journal = file("events.jsonl");
  test::write_file(journal, "damage\n" + content_of(journal) + "torn");
  reopen();
  EXPECT_EQ(writer().manifest().segments.size(), 1u);
  ASSERT_EQ(writer().findings().damage.size(), 1u);
  EXPECT_EQ(writer().findings().damage[0].line, 1u);
  EXPECT_EQ(writer().findings().dropped_bytes, 4);
}

TEST_F(Writing, ChainsTheLinesOfTheJournalAlsoWhereItIsReopened) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  reopen();
  Scribe(writer()).stop();
  journal::LineChain chain;
  std::istringstream lines(content_of(file("events.jsonl")));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(chain.verify(line), journal::LineChain::LineState::intact) << line;
  }
  EXPECT_EQ(count, 5);
}

TEST_F(Writing, LeavesASessionOfANewerVersionAsItIs) {
  Scribe(writer()).start();
  const fs::path manifest = file("manifest.json");
  test::write_file(manifest, R"({"schema": 99})");
  EXPECT_THROW(reopen(), NewerManifest);
  EXPECT_EQ(content_of(manifest), R"({"schema": 99})");
}

TEST_F(Writing, DoesNotMakeASessionOfAnotherFolder) {
  fs::create_directory(root_ / "other");
  EXPECT_THROW(SessionWriter::reopen(root_ / "other"), RecorderError);
  EXPECT_THROW(SessionWriter::reopen(root_ / "missing"), RecorderError);
  EXPECT_TRUE(fs::is_empty(root_ / "other"));
}

TEST_F(Writing, KeepsTheWholeTimelineWhereThatIsWanted) {
  SessionInfo all = info();
  all.keep_all = true;
  SessionWriter keeper = SessionWriter::create(root_.path(), kStarted, all);
  keeper.append_timeline(std::vector<std::int16_t>(16000, 3));
  keeper.finish(kStarted);
  EXPECT_GT(fs::file_size(keeper.path() / "timeline.flac"), 42u);
  EXPECT_EQ(read_manifest(keeper.path()).stopped_at, kStarted);
}

TEST_F(Writing, SurvivesASync) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  writer().open_segment(1, 5000);
  EXPECT_NO_THROW(SessionWriter::sync(writer().folder(), writer().take_unsynced()));
  writer().discard_segment(1);
  EXPECT_NO_THROW(SessionWriter::sync(writer().folder(), writer().take_unsynced()));
}

// A disk that is full.

Errc code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const RecorderError& error) {
    return static_cast<Errc>(error.code().value());
  }
  return {};
}

TEST_F(Writing, LosesNoEventWhenTheDiskWasFullForAWhile) {
  Scribe scribe(writer());
  scribe.start();
  {
    const FileSizeLimit full(0);
    EXPECT_EQ(code_of([&] { scribe.emit(10, DeviceChanged{"a", "b"}); }), Errc::disk_full);
    EXPECT_EQ(code_of([&] { scribe.emit(20, DeviceChanged{"c", "d"}); }), Errc::disk_full);
  }
  scribe.emit(30, DeviceChanged{"e", "f"});
  journal::JournalReader reader(writer().path());
  int events = 0;
  while (reader.next()) ++events;
  EXPECT_EQ(events, 4);
  EXPECT_THAT(reader.problems(), IsEmpty());
}

TEST_F(Writing, TakesAgainWhatHadNoRoomInASegment) {
  writer().open_segment(0, 0);
  const std::vector<std::int16_t> block(100, 5);
  writer().append_segment(0, block);
  {
    const FileSizeLimit full(0);
    EXPECT_EQ(code_of([&] { writer().append_segment(0, block); }), Errc::disk_full);
    EXPECT_EQ(code_of([&] { writer().close_segment(0, 50); }), Errc::disk_full);
    EXPECT_EQ(writer().segment_frames(0), 100);
  }
  writer().append_segment(0, block);
  writer().close_segment(0, 150);
  EXPECT_EQ(frames_on_disk(writer().folder(), "seg_0000.wav"), 150);
}

TEST_F(Writing, TellsOfASegmentThatCouldNotBeBegunAndGoesOn) {
  {
    const FileSizeLimit full(0);
    EXPECT_EQ(code_of([&] { writer().open_segment(0, 0); }), Errc::disk_full);
  }
  EXPECT_FALSE(fs::exists(file("seg_0000.wav")));
  EXPECT_EQ(code_of([&] { writer().append_segment(0, std::vector<std::int16_t>(10)); }), Errc::output_unwritable);
  EXPECT_NO_THROW(writer().discard_segment(0));
  EXPECT_NO_THROW(writer().open_segment(1, 100));
}

TEST_F(Writing, BringsTheTranscriptsUpToDateWhenTheDiskHasRoomAgain) {
  Scribe scribe(writer());
  scribe.start();
  scribe.speak(1000);
  scribe.speak(1000);
  scribe.transcribe(0, "first");
  {
    const FileSizeLimit full(0);
    EXPECT_EQ(code_of([&] { scribe.transcribe(0, "better", 1); }), Errc::disk_full);
  }
  scribe.transcribe(1, "second");
  scribe.stop();
  scribe.finish();
  EXPECT_EQ(content_of(file("transcript_raw.txt")), "[00:00:00.050] better\n[00:00:00.262] second\n");
  EXPECT_THAT(grammar_violations(writer().path()), IsEmpty());
}

TEST_F(Writing, FinishesWhatItCanWhenTheDiskIsFull) {
  Scribe scribe(writer());
  scribe.start();
  scribe.stop();
  {
    const FileSizeLimit full(0);
    EXPECT_EQ(code_of([&] { scribe.finish(); }), Errc::disk_full);
  }
  EXPECT_EQ(read_manifest(writer().path()).stopped_at, std::nullopt) << "the old manifest is still there";
  EXPECT_NO_THROW(scribe.finish());
  EXPECT_NE(read_manifest(writer().path()).stopped_at, std::nullopt);
}

/// Creating a session with room for only so many more open files.
bool creates_with_files(const fs::path& root, rlim_t files) {
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(next);
  const rlimit limit{static_cast<rlim_t>(next) + files, old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &limit);
  bool created = false;
  SessionInfo all = info();
  all.keep_all = true;
  try {
    SessionWriter::create(root, kStarted, all);
    created = true;
  } catch (const RecorderError&) {
  }
  ::setrlimit(RLIMIT_NOFILE, &old);
  return created;
}

TEST(NewSession, LeavesNothingWhereAnyOfItsFilesCannotBeMade) {
  const TemporaryDirectory root;
  rlim_t files = 0;
  for (; !creates_with_files(root / "a" / "b", files); ++files) {
    EXPECT_TRUE(fs::is_empty(root.path())) << "failing at file " << files;
    ASSERT_LT(files, 20u);
  }
  EXPECT_GE(files, 5u) << "journal, transcripts, starts, timeline, manifest";
}

TEST(NewSession, LeavesNothingWhereTheDiskIsFull) {
  const TemporaryDirectory root;
  const FileSizeLimit full(0);
  EXPECT_EQ(code_of([&] { SessionWriter::create(root / "sessions", kStarted, info()); }), Errc::disk_full);
  EXPECT_TRUE(fs::is_empty(root.path()));
}

}  // namespace
}  // namespace dictum::session
