#include "session/recovery.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>

#include "dictum/error.hpp"
#include "journal/journal_reader.hpp"
#include "session/scribe.hpp"
#include "session/wav_repair.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using test::content_of;
using test::grammar_violations;
using test::info;
using test::kRate;
using test::kStarted;
using test::Scribe;
using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

constexpr auto kLater = kStarted + std::chrono::hours(1);

/// A session whose process dies when the test says so, as far as the disk can emit.
class Crash : public testing::Test {
 protected:
  SessionWriter& writer() { return *writer_; }
  fs::path path() const { return path_; }

  void die() { writer_.reset(); }

  RecoveredSession recovered() {
    die();
    SessionWriter again = SessionWriter::reopen(path_);
    RecoveredSession session = recover(again, kLater);
    again.finish(std::nullopt);
    return session;
  }

  void expect_whole() { EXPECT_THAT(grammar_violations(path_, {.transcription_may_be_pending = true}), IsEmpty()); }

  const TemporaryDirectory root_;
  std::optional<SessionWriter> writer_{SessionWriter::create(root_.path(), kStarted, info())};
  const fs::path path_ = writer_->path();
  Scribe scribe_{*writer_};
};

TEST_F(Crash, InSilenceLeavesAWholeSession) {
  scribe_.start();
  scribe_.speak(1000);
  const RecoveredSession session = recovered();
  expect_whole();
  EXPECT_EQ(std::get<RecordingStateChanged>(session.events.back().body).state, RecordingState::idle);
  EXPECT_EQ(session.events.back().timestamp, std::chrono::duration<double>(kLater.time_since_epoch()).count());
}

TEST_F(Crash, BeforeTheFirstEventLeavesAnEmptySession) {
  recovered();
  EXPECT_EQ(read_manifest(path()).segments.size(), 0u);
  EXPECT_NE(read_manifest(path()).stopped_at, std::nullopt);
}

TEST_F(Crash, MakesANoteAgainWhoseFileIsALinkToItself) {
  scribe_.start();
  const std::uint32_t index = scribe_.speak(1000);
  scribe_.transcribe(index, "milk");
  scribe_.note("Shopping list", "milk", {index});
  die();
  const fs::path note = path() / "notes/0001-note.md";
  fs::remove(note);
  fs::create_symlink(note, note);
  recovered();
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(note)));
}

TEST_F(Crash, LeavesNoAudioToWorkersThatIsALinkToAForeignFile) {
  scribe_.start();
  scribe_.queue(scribe_.speak(1000));
  fs::rename(path() / "seg_0000.wav", root_ / "foreign.wav");
  fs::create_symlink(root_ / "foreign.wav", path() / "seg_0000.wav");
  try {
    recovered();
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::session_unreadable);
    EXPECT_THAT(error.what(), testing::HasSubstr("seg_0000.wav' is not used: it is a link"));
  }
}

TEST_F(Crash, InSpeechKeepsTheAudioThatTheFileHas) {
  scribe_.start();
  writer().open_segment(0, 1000);
  writer().append_segment(0, std::vector<std::int16_t>(512, 5));
  scribe_.emit(1400, SpeechDetected{0, 1000});
  writer().append_segment(0, std::vector<std::int16_t>(512, 5));
  const RecoveredSession session = recovered();
  expect_whole();
  ASSERT_THAT(session.jobs, SizeIs(1));
  EXPECT_EQ(session.jobs[0].start_frame, 1000);
  EXPECT_EQ(session.jobs[0].end_frame, 2024);
  EXPECT_EQ(session.jobs[0].wav_path, path() / "seg_0000.wav");
  EXPECT_EQ(session.jobs[0].revision, 0);
}

TEST_F(Crash, KeepsSamplesThatTheHeaderDidNotAnnounceYet) {
  scribe_.start();
  writer().open_segment(0, 1000);
  writer().append_segment(0, std::vector<std::int16_t>(512, 5));
  scribe_.emit(1400, SpeechDetected{0, 1000});
  die();
  test::write_file(path() / "seg_0000.wav", content_of(path() / "seg_0000.wav") + std::string(200, '\5'));
  recovered();
  expect_whole();
  EXPECT_EQ(read_manifest(path()).segments.at(0).end_frame, 1612);
}

TEST_F(Crash, KeepsAudioOfASegmentThatTheJournalDoesNotKnowYetInItsPlace) {
  scribe_.start();
  writer().open_segment(0, 7000);
  writer().append_segment(0, std::vector<std::int16_t>(512, 5));
  recovered();
  expect_whole();
  EXPECT_EQ(read_manifest(path()).segments.at(0).start_frame, 7000);
  EXPECT_EQ(read_manifest(path()).segments.at(0).end_frame, 7512);
}

TEST_F(Crash, AtTheVeryStartOfASegmentKeepsNothingOfIt) {
  scribe_.start();
  writer().open_segment(0, 7000);
  const RecoveredSession session = recovered();
  expect_whole();
  EXPECT_EQ(read_manifest(path()).segments.at(0).status, SegmentStatus::discarded);
  const auto ended = std::ranges::find_if(
      session.events, [](const Event& event) { return std::holds_alternative<SpeechEnded>(event.body); });
  ASSERT_NE(ended, session.events.end());
  EXPECT_EQ(std::get<SpeechEnded>(ended->body).discard_reason, DiscardReason::no_audio);
}

TEST_F(Crash, BetweenClosingAFileAndItsEventKeepsTheFile) {
  scribe_.start();
  writer().open_segment(0, 1000);
  writer().append_segment(0, std::vector<std::int16_t>(2000, 5));
  scribe_.emit(1400, SpeechDetected{0, 1000});
  writer().close_segment(0, 1500);
  recovered();
  expect_whole();
  EXPECT_EQ(read_manifest(path()).segments.at(0).end_frame, 2500);
}

TEST_F(Crash, BetweenDiscardingAFileAndItsEventDiscardsTheSegment) {
  scribe_.start();
  writer().open_segment(0, 1000);
  scribe_.emit(1400, SpeechDetected{0, 1000});
  writer().discard_segment(0);
  recovered();
  expect_whole();
}

TEST_F(Crash, BetweenTheEventOfTheEndAndTheCutOfTheFileCutsIt) {
  scribe_.start();
  writer().open_segment(0, 1000);
  writer().append_segment(0, std::vector<std::int16_t>(2000, 5));
  scribe_.emit(1400, SpeechDetected{0, 1000});
  scribe_.emit(2000, SpeechEnded{0, 1500.0 / kRate, true, 1000, 2500});
  recovered();
  expect_whole();
  EXPECT_EQ(frames_on_disk(journal::SessionFolder(path()), "seg_0000.wav"), 1500);
}

TEST_F(Crash, WithAnAccountOfGapsKeepsTheFramesRight) {
  scribe_.start();
  scribe_.speak(1000);
  scribe_.gap(3000, GapReason::overflow);
  scribe_.speak(1000);
  recovered();
  expect_whole();
  EXPECT_EQ(read_manifest(path()).end_frame - read_manifest(path()).frames, 3000);
}

TEST_F(Crash, WithATornJournalSaysWhatWasDropped) {
  scribe_.start();
  die();
  test::write_file(path() / "events.jsonl", content_of(path() / "events.jsonl") + "{\"event\":");
  const RecoveredSession session = recovered();
  expect_whole();
  EXPECT_THAT(std::get<RecorderFault>(session.events.at(1).body).message, testing::HasSubstr("9 bytes"));
}

TEST_F(Crash, WhileTextsWereOutstandingLeavesTheirJobs) {
  scribe_.start();
  scribe_.speak(1000);
  scribe_.speak(1000);
  scribe_.speak(1000);
  scribe_.transcribe(1, "second");
  scribe_.stop();
  const RecoveredSession session = recovered();
  expect_whole();
  ASSERT_THAT(session.jobs, SizeIs(2));
  EXPECT_EQ(session.jobs[0].segment_index, 0u);
  EXPECT_EQ(session.jobs[1].segment_index, 2u);
}

TEST_F(Crash, WithoutTranscriptionLeavesNoJobs) {
  writer_.emplace(SessionWriter::create(root_.path(), kStarted, info(false)));
  const fs::path other = writer_->path();
  Scribe scribe(*writer_);
  scribe.start();
  scribe.speak(1000);
  writer_.reset();
  SessionWriter again = SessionWriter::reopen(other);
  EXPECT_THAT(recover(again, kLater).jobs, IsEmpty());
  again.finish(std::nullopt);
  EXPECT_THAT(grammar_violations(other), IsEmpty());
}

TEST_F(Crash, IsRecoveredOnce) {
  scribe_.start();
  scribe_.speak(1000);
  writer().open_segment(1, 50000);
  writer().append_segment(1, std::vector<std::int16_t>(512, 5));
  const RecoveredSession first = recovered();
  const std::string journal = content_of(path() / "events.jsonl");
  const RecoveredSession second = recovered();
  EXPECT_EQ(content_of(path() / "events.jsonl"), journal);
  EXPECT_EQ(second.events, first.events);
  EXPECT_EQ(second.jobs.size(), first.jobs.size());
}

TEST_F(Crash, ChangesNothingInAFinishedSession) {
  const fs::path session = test::make_session(root_.path());
  const std::string journal = content_of(session / "events.jsonl");
  const std::string manifest = content_of(session / "manifest.json");
  {
    SessionWriter again = SessionWriter::reopen(session);
    EXPECT_THAT(recover(again, kLater).jobs, IsEmpty());
    again.finish(std::nullopt);
  }
  EXPECT_EQ(content_of(session / "events.jsonl"), journal);
  EXPECT_EQ(content_of(session / "manifest.json"), manifest);
}

TEST_F(Crash, GivesEventsWithAbsolutePaths) {
  scribe_.start();
  scribe_.speak(1000);
  for (const Event& event : recovered().events) {
    if (const auto* queued = std::get_if<TranscriptionQueued>(&event.body)) {
      EXPECT_EQ(queued->wav_path, (path() / "seg_0000.wav").string());
    }
  }
}

std::vector<std::string> reasons(const fs::path& root) {
  std::vector<std::string> found;
  for (const UnfinishedSession& each : find_unfinished(root)) found.push_back(each.reason);
  return found;
}

// What a power cut may leave.

std::vector<std::string> reported(const RecoveredSession& session) {
  std::vector<std::string> messages;
  for (const Event& event : session.events) {
    if (const auto* fault = std::get_if<RecorderFault>(&event.body)) messages.push_back(fault->message);
  }
  return messages;
}

/// A recording with two texts that was cut off behind its third segment.
class PowerCut : public Crash {
 protected:
  void SetUp() override {
    scribe_.start();
    scribe_.speak(1000);
    scribe_.transcribe(0, "first");
    scribe_.speak(2000);
    scribe_.transcribe(1, "second");
    scribe_.speak(3000);
    writer().save_manifest();
    die();
  }

  std::string content(const char* file) const { return content_of(path() / file); }
  void replace(const char* file, const std::string& content) const { test::write_file(path() / file, content); }

  /// Replaces line `number` of the journal, from 1.
  void replace_line(int number, const std::string& by) const {
    std::string journal = content("events.jsonl");
    std::size_t begin = 0;
    for (int line = 1; line < number; ++line) begin = journal.find('\n', begin) + 1;
    replace("events.jsonl", journal.replace(begin, journal.find('\n', begin) - begin, by));
  }

  std::deque<Segment> segments() const { return read_manifest(path()).segments; }

  /// First frame and end of each segment.
  std::vector<std::pair<Frame, Frame>> places() const {
    std::vector<std::pair<Frame, Frame>> found;
    for (const Segment& each : segments()) found.emplace_back(each.start_frame, each.end_frame);
    return found;
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> found;
    for (const Segment& each : segments()) found.push_back(each.text);
    return found;
  }

  void expect_recovered_once() {
    const std::string journal = content("events.jsonl");
    const std::string manifest = content("manifest.json");
    const RecoveredSession again = recovered();
    EXPECT_EQ(content("events.jsonl"), journal);
    EXPECT_EQ(content("manifest.json"), manifest);
  }
};

TEST_F(PowerCut, ThatTookTheManifestLosesNothingElse) {
  const Manifest before = read_manifest(path());
  for (const char* left : {"", "{\"schema\":1,", "\0\0\0\0"}) {
    replace("manifest.json", left);
    EXPECT_THAT(reasons(root_.path()), testing::ElementsAre("its manifest is damaged"));
    const RecoveredSession session = recovered();
    expect_whole();
    EXPECT_EQ(segments(), before.segments);
    EXPECT_EQ(read_manifest(path()).started_at, before.started_at);
    EXPECT_EQ(read_manifest(path()).sample_rate, before.sample_rate);
    EXPECT_THAT(reported(session), testing::Contains(HasSubstr("manifest was lost or damaged")));
  }
  expect_recovered_once();
}

TEST_F(PowerCut, ThatTookTheNameOfTheManifestLosesNothingElse) {
  const Manifest before = read_manifest(path());
  fs::remove(path() / "manifest.json");
  EXPECT_THAT(reasons(root_.path()), testing::ElementsAre("its manifest is missing"));
  recovered();
  expect_whole();
  EXPECT_EQ(segments(), before.segments);
}

TEST_F(PowerCut, ThatTookTheMarkIsStillFound) {
  fs::remove(path() / "unfinished.txt");
  EXPECT_THAT(reasons(root_.path()), testing::ElementsAre("it was interrupted"));
  recovered();
  expect_whole();
}

TEST_F(PowerCut, ThatTookTheMarkOfASessionWithPendingTextsIsStillFound) {
  recovered();
  fs::remove(path() / "unfinished.txt");
  EXPECT_THAT(reasons(root_.path()), testing::ElementsAre("1 segment waits for its text"));
}

TEST_F(PowerCut, ThatDamagedOneLineKeepsWhatIsBeforeAndBehind) {
  const auto before = segments();
  const int lines = static_cast<int>(std::ranges::count(content("events.jsonl"), '\n'));
  for (int line = 2; line <= lines; ++line) {
    SCOPED_TRACE(line);
    const TemporaryDirectory copy;
    fs::copy(path(), copy / "20261122_154501", fs::copy_options::recursive);
    std::string journal = content("events.jsonl");
    std::size_t begin = 0;
    for (int each = 1; each < line; ++each) begin = journal.find('\n', begin) + 1;
    test::write_file(copy / "20261122_154501" / "events.jsonl", journal.replace(begin + 3, 4, "\0\1\2\3"));
    SessionWriter writer = SessionWriter::reopen(copy / "20261122_154501");
    const RecoveredSession session = recover(writer, kLater);
    EXPECT_THAT(reported(session), testing::Contains(HasSubstr(fmt::format("line {}:", line))));
    const auto found = writer.manifest().segments;
    ASSERT_EQ(found.size(), before.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].start_frame, before[i].start_frame);
      EXPECT_EQ(found[i].end_frame, before[i].end_frame);
      EXPECT_EQ(found[i].text, before[i].text);
      EXPECT_TRUE(found[i].is_kept());
    }
  }
}

TEST_F(PowerCut, ThatEmptiedTheJournalKeepsWhatTheManifestStates) {
  const auto places_before = places();
  const auto texts_before = texts();
  for (const bool is_there : {true, false}) {
    replace("events.jsonl", "");
    if (!is_there) fs::remove(path() / "events.jsonl");
    recovered();
    expect_whole();
    EXPECT_EQ(places(), places_before);
    EXPECT_EQ(texts(), texts_before);
  }
  expect_recovered_once();
}

TEST_F(PowerCut, ThatTookJournalAndManifestKeepsTheAudioInItsPlace) {
  const auto before = places();
  replace("events.jsonl", "");
  replace("manifest.json", "");
  recovered();
  expect_whole();
  EXPECT_EQ(places(), before);
}

TEST_F(PowerCut, ThatLeftNothingButAudioKeepsIt) {
  const auto before = segments();
  for (const char* file : {"events.jsonl", "manifest.json", "unfinished.txt"}) fs::remove(path() / file);
  const RecoveredSession session = recovered();
  expect_whole();
  const auto found = segments();
  ASSERT_EQ(found.size(), before.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].end_frame - found[i].start_frame, before[i].end_frame - before[i].start_frame);
  }
  EXPECT_THAT(reported(session), testing::Contains(HasSubstr("placed behind the segment before it")));
  expect_recovered_once();
}

TEST_F(PowerCut, ThatTookTheEndOfASoundFileIsReportedAndTheRestIsSilence) {
  fs::resize_file(path() / "seg_0001.wav", 44 + 2000);
  const RecoveredSession session = recovered();
  expect_whole();
  EXPECT_THAT(reported(session), testing::ElementsAre(HasSubstr("seg_0001.wav has 0.062 s of the 0.225 s")));
  expect_recovered_once();
}

TEST_F(PowerCut, ThatBlankedAHeaderKeepsTheSamples) {
  std::string wav = content("seg_0001.wav");
  const std::string whole = wav;
  replace("seg_0001.wav", wav.replace(0, 44, std::string(44, '\0')));
  recovered();
  expect_whole();
  EXPECT_EQ(content("seg_0001.wav"), whole);
}

TEST_F(PowerCut, BeforeTheFirstEventLeavesASessionThatBegins) {
  replace("events.jsonl", "");
  for (const char* file : {"seg_0000.wav", "seg_0001.wav", "seg_0002.wav", "manifest.json"}) fs::remove(path() / file);
  replace("unfinished.txt", "");
  const RecoveredSession session = recovered();
  expect_whole();
  EXPECT_EQ(std::get<RecordingStateChanged>(session.events.front().body).state, RecordingState::recording);
}

TEST_F(Crash, IsFoundUnlessSomebodyWorksOnIt) {
  scribe_.start();
  EXPECT_THAT(reasons(root_.path()), IsEmpty()) << "it is locked";
  die();
  EXPECT_THAT(reasons(root_.path()), testing::ElementsAre("it was interrupted"));
  recovered();
  EXPECT_THAT(reasons(root_.path()), IsEmpty());
}

TEST_F(Crash, IsFoundWhereTextsAreOutstanding) {
  scribe_.start();
  scribe_.speak(1000);
  scribe_.stop();
  scribe_.finish();
  die();
  EXPECT_THAT(reasons(root_.path()), testing::ElementsAre("1 segment waits for its text"));
}

TEST_F(Crash, OfASecondPassIsFound) {
  const fs::path session = test::make_session(root_.path());
  EXPECT_THAT(reasons(root_.path()), IsEmpty());
  {
    SessionWriter::reopen(session);
  }
  EXPECT_THAT(reasons(root_.path()), testing::ElementsAre("work on it was interrupted"));
}

TEST(UnfinishedSessions, AreNoneWhereThereIsNothingToRead) {
  const TemporaryDirectory root;
  fs::create_directory(root / "20261122_154501");
  fs::create_directory(root / "other");
  test::write_file(root / "20261122_154502", "a file");
  EXPECT_THAT(find_unfinished(root.path()), IsEmpty());
  EXPECT_THAT(find_unfinished(root / "missing"), IsEmpty());
}

[[noreturn]] void record_for_ever(const fs::path& root, int ready) {
  SessionWriter writer = SessionWriter::create(root, kStarted, info());
  Scribe scribe(writer);
  scribe.start();
  if (::write(ready, "x", 1) != 1) ::_exit(1);
  for (int turn = 0;; ++turn) {
    scribe.silence(1000 + turn % 7 * 100);
    const std::uint32_t index = scribe.speak(3000 + turn % 5 * 1000, turn % 4 != 3);
    if (turn % 4 != 3 && turn % 3 != 0) scribe.transcribe(index, "some words, said in turn " + std::to_string(turn));
    if (turn % 6 == 1) scribe.gap(1600, GapReason::stalled);
    if (turn % 8 == 4) scribe.note("Note", "some words", {index});
    if (turn % 10 == 0) writer.save_manifest();
  }
}

/// Starts a recording in another process, kills it `after` its start, recovers the session, and checks it.
void kill_and_recover(std::chrono::microseconds after) {
  const TemporaryDirectory root;
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) record_for_ever(root.path(), pipe[1]);
  char ready = 0;
  ASSERT_EQ(::read(pipe[0], &ready, 1), 1);
  ::usleep(static_cast<useconds_t>(after.count()));  // the moment is the input of this test, not a way to wait
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);

  const std::vector<UnfinishedSession> unfinished = find_unfinished(root.path());
  ASSERT_THAT(unfinished, SizeIs(1));
  const fs::path path = unfinished[0].path;
  const std::string before = content_of(path / "events.jsonl");
  std::map<std::string, std::uintmax_t> audio;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".wav") audio[entry.path().filename()] = entry.file_size();
  }

  {
    SessionWriter writer = SessionWriter::reopen(path);
    recover(writer, kLater);
    writer.finish(std::nullopt);
  }
  EXPECT_THAT(grammar_violations(path, {.transcription_may_be_pending = true}), IsEmpty())
      << "killed after " << after.count();
  const std::string whole = before.substr(0, before.rfind('\n') + 1);
  EXPECT_TRUE(content_of(path / "events.jsonl").starts_with(whole)) << "what was emitted stays in the journal";
  const Manifest manifest = read_manifest(path);
  for (const auto& [name, size] : audio) {
    const auto index = static_cast<std::uint32_t>(std::stoul(name.substr(4)));
    const Segment* segment = manifest.find(index);
    ASSERT_NE(segment, nullptr) << name << " is lost";
    if (before.find("\"SpeechEnded\"") != std::string::npos && segment->is_kept()) {
      EXPECT_TRUE(fs::exists(path / name));
    }
  }
}

TEST(KilledRecording, IsRecoveredWhole) {
  const char* runs = std::getenv("DICTUM_KILLS");
  std::mt19937 random(static_cast<unsigned>(20261122));
  std::uniform_int_distribution<int> microseconds(0, 20'000);
  for (int run = runs != nullptr ? std::atoi(runs) : 40; run > 0; --run) {
    ASSERT_NO_FATAL_FAILURE(kill_and_recover(std::chrono::microseconds(microseconds(random))));
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace dictum::session
