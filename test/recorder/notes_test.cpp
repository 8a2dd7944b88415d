#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/resume.hpp"
#include "base/unique_fd.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/scripted_source.hpp"
#include "journal/journal_reader.hpp"
#include "recorder/event_log.hpp"
#include "recorder/recordings.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"

/// Notes as the whole recorder makes them: from sound to a Markdown file, whatever the transcriber and the machine do.
namespace dictum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kBody = "bread and butter two pints of milk and some coffee";

/// Command, title, a body of three sentences with pauses of 1 and 3 s, 6 s of silence, and other things.
std::vector<Script::Line> shopping() {
  return {{.text = "start a new note", .speech_sec = 1.5, .pause_sec = 2},
          {.text = "shopping list", .speech_sec = 1.2, .pause_sec = 2},
          {.text = "bread and butter", .speech_sec = 1.4, .pause_sec = 1},
          {.text = "two pints of milk", .speech_sec = 1.6, .pause_sec = 3},
          {.text = "and some coffee", .speech_sec = 1.3, .pause_sec = 6},
          {.text = "it may rain today", .speech_sec = 1.5, .pause_sec = 1},
          {.text = "or it may not", .speech_sec = 1.2, .pause_sec = 2}};
}

/// Keeps every answer back until the audio has ended, and then gives the last one first.
class Reversed final : public Transcriber {
 public:
  explicit Reversed(std::unique_ptr<Transcriber> inner) : inner_(std::move(inner)) {}

  void transcribe(TranscriptionJob job, Done done) override {
    inner_->transcribe(std::move(job), [this, done = std::move(done)](TranscriptionOutcome outcome) {
      answers_.emplace_back(std::move(done), std::move(outcome));
    });
  }
  void audio_time(Frame frame) override {
    inner_->audio_time(frame);
    while (frame == kEndOfAudio && !answers_.empty()) {
      auto [done, outcome] = std::move(answers_.back());
      answers_.pop_back();
      done(std::move(outcome));
    }
  }
  void abandon() override {
    inner_->abandon();
    answers_.clear();
  }

 private:
  const std::unique_ptr<Transcriber> inner_;
  std::vector<std::pair<Done, TranscriptionOutcome>> answers_;
};

void ignore(const Event&) {}

class NoteSession : public testing::Test {
 protected:
  /// As fast as it can be processed.
  RecorderConfig configuration(const Script& script, double latency_sec = 0) const {
    RecorderConfig config;
    config.source = script.source();
    config.detector = script.detector();
    config.custom_transcriber = script.transcriber(latency_sec);
    config.session.root = folder_.path();
    return config;
  }

  /// With a real pool of real processes, whose texts and accidents are in `json`.
  RecorderConfig with_workers(const Script& script, const std::string& json) const {
    RecorderConfig config = configuration(script);
    config.custom_transcriber = nullptr;
    config.transcription.transcriber = "simulated";
    config.transcription.simulated_script = folder_ / "worker.json";
    std::ofstream(config.transcription.simulated_script) << json;
    return config;
  }

  /// Records to the end, and returns the notes that were reported.
  std::vector<NoteCompleted> record(const RecorderConfig& config) {
    test::EventLog log;
    RecorderBackend backend(config, [&](const Event& event) { log.add(event); });
    backend.start_recording();
    EXPECT_TRUE(log.wait_for_state(RecordingState::idle));
    backend.stop_recording();
    session_ = backend.get_session_path();
    expect_whole();
    return log.bodies<NoteCompleted>();
  }

  void expect_whole() const { EXPECT_THAT(test::grammar_violations(session_), IsEmpty()); }

  /// The notes of the session's journal.
  std::vector<NoteCompleted> written() const {
    std::vector<NoteCompleted> notes;
    journal::JournalReader reader(session_);
    while (const auto event = reader.next()) {
      if (const auto* note = std::get_if<NoteCompleted>(&event->body)) notes.push_back(*note);
    }
    return notes;
  }

  static void expect_shopping_list(const std::vector<NoteCompleted>& notes) {
    ASSERT_THAT(notes, SizeIs(1));
    EXPECT_EQ(notes[0].title, "shopping list");
    EXPECT_EQ(notes[0].text, kBody);
    EXPECT_THAT(notes[0].segments, ElementsAre(2, 3, 4));
    EXPECT_THAT(test::contents(notes[0].path), HasSubstr("some coffee"));
    EXPECT_THAT(test::contents(notes[0].path), Not(HasSubstr("rain")));
  }

  const test::TemporaryDirectory folder_;
  std::filesystem::path session_;
};

class NoteLatency : public NoteSession, public testing::WithParamInterface<double> {};

TEST_P(NoteLatency, OneNoteHasTheWholeBodyAndNothingAfterIt) {
  expect_shopping_list(record(configuration(Script(shopping()), GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Seconds, NoteLatency, testing::Values(0.0, 2.5, 10.0),
                         [](const auto& test) { return std::to_string(static_cast<int>(test.param * 1000)) + "ms"; });

TEST_F(NoteSession, IsTheSameWithItsTextsInReverse) {
  const Script script(shopping());
  RecorderConfig config = configuration(script);
  config.custom_transcriber = [make = script.transcriber()] { return std::make_unique<Reversed>(make()); };
  expect_shopping_list(record(config));
}

const std::string kTexts =
    R"("texts": ["start a new note", "shopping list", "bread and butter", "two pints of milk", "and some coffee",
                 "it may rain today", "or it may not"])";

TEST_F(NoteSession, IsTheSameWhereTheWorkerDiesOverTheTitle) {
  expect_shopping_list(
      record(with_workers(Script(shopping()), "{" + kTexts + R"(, "segments": {"1": [{"do": "crash"}, {}]}})")));
}

TEST_F(NoteSession, IsTheSameWhereTheEngineFailsOverTheTitleOnce) {
  expect_shopping_list(
      record(with_workers(Script(shopping()), "{" + kTexts + R"(, "segments": {"1": [{"do": "error"}, {}]}})")));
}

TEST_F(NoteSession, HasNoTitleWhereNoneIsSpoken) {
  const auto notes =
      record(with_workers(Script(shopping()), "{" + kTexts + R"(, "segments": {"1": [{"do": "crash"}]}})"));
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].title, "Untitled");
  EXPECT_EQ(notes[0].text, kBody);
}

std::vector<Script::Line> two_notes() {
  std::vector<Script::Line> lines = shopping();
  const std::vector<Script::Line> second = {
      {.text = "start a new note about the garden", .speech_sec = 1.6, .pause_sec = 2},
      {.text = "water the roses", .speech_sec = 1.3, .pause_sec = 1},
      {.text = "end note", .speech_sec = 0.8, .pause_sec = 1},
      {.text = "good night", .speech_sec = 0.9, .pause_sec = 2}};
  lines.insert(lines.end(), second.begin(), second.end());
  return lines;
}

void expect_two_notes(const std::vector<NoteCompleted>& notes) {
  ASSERT_THAT(notes, SizeIs(2));
  EXPECT_EQ(notes[0].title, "shopping list");
  EXPECT_EQ(notes[0].text, kBody);
  EXPECT_EQ(notes[1].title, "about the garden");
  EXPECT_EQ(notes[1].text, "water the roses");
  EXPECT_NE(notes[0].path, notes[1].path);
}

TEST_P(NoteLatency, TwoNotesInOneSessionAreTwo) {
  expect_two_notes(record(configuration(Script(two_notes()), GetParam())));
}

TEST_F(NoteSession, TwoNotesAreTwoWithTheirTextsInReverse) {
  const Script script(two_notes());
  RecorderConfig config = configuration(script);
  config.custom_transcriber = [make = script.transcriber()] { return std::make_unique<Reversed>(make()); };
  expect_two_notes(record(config));
}

TEST_F(NoteSession, TheNextStartCommandCompletesTheNoteBefore) {
  const auto notes = record(configuration(Script({{.text = "start a new note first", .pause_sec = 2},
                                                  {.text = "one", .pause_sec = 1},
                                                  {.text = "start a new note second", .pause_sec = 1},
                                                  {.text = "two", .pause_sec = 1}})));
  ASSERT_THAT(notes, SizeIs(2));
  EXPECT_EQ(notes[0].text, "one");
  EXPECT_EQ(notes[1].text, "two");
}

/// The same in a hurry, to be spoken in real time; the fourth sentence goes on for as long as a test may want.
std::vector<Script::Line> hurried() {
  return {{.text = "start a new note", .speech_sec = 0.2, .pause_sec = 0.2},
          {.text = "shopping list", .speech_sec = 0.2, .pause_sec = 0.2},
          {.text = "bread and butter", .speech_sec = 0.2, .pause_sec = 0.2},
          {.text = "milk milk milk milk milk milk milk milk milk milk milk milk", .speech_sec = 12, .pause_sec = 1}};
}

RecorderConfig in_real_time(RecorderConfig config, const Script& script) {
  config.source = script.source(std::make_shared<const SystemClock>());
  config.vad.min_silence_ms = 96;
  return config;
}

TEST_P(NoteLatency, ANoteThatIsCutByAStopHasWhatWasSaidOfIt) {
  const Script script(hurried(), 0.1);
  test::EventLog log;
  RecorderBackend backend(in_real_time(configuration(script, GetParam()), script),
                          [&](const Event& event) { log.add(event); });
  backend.start_recording();
  ASSERT_TRUE(log.wait_for<SpeechDetected>(4));
  backend.stop_recording();
  session_ = backend.get_session_path();
  expect_whole();
  const auto notes = log.bodies<NoteCompleted>();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].title, "shopping list");
  EXPECT_THAT(notes[0].text, testing::StartsWith("bread and butter"));
  EXPECT_THAT(notes[0].segments, ElementsAre(2, 3));
}

/// Another process that records in real time, until it is killed.
class Recording {
 public:
  explicit Recording(const RecorderConfig& config) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    pipe_ = UniqueFD(ends[0]);
    const UniqueFD pipe(ends[1]);
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ == 0) record(config, pipe.get(), parent);
  }

  ~Recording() { kill(); }

  /// The session's path, once `name` has been reported `count` times; empty where that took too long.
  std::string wait_for(const std::string& name, int count) {
    std::string line;
    std::string session;
    while (count > 0) {
      pollfd ready{pipe_.get(), POLLIN, 0};
      char c = 0;
      if (poll(&ready, 1, 20'000) <= 0 || read(pipe_.get(), &c, 1) != 1) return {};
      if (c != '\n') {
        line += c;
        continue;
      }
      if (line.starts_with('/')) session = line;
      if (line == name) --count;
      line.clear();
    }
    return session;
  }

  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }

 private:
  [[noreturn]] static void record(const RecorderConfig& config, int pipe, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const auto say = [pipe](std::string line) {
      line += '\n';
      if (write(pipe, line.data(), line.size()) < 0) _exit(1);
    };
    RecorderBackend* started = nullptr;
    RecorderBackend backend(config, [&](const Event& event) {
      if (event.sequence == 0U) say(started->get_session_path().string());
      say(std::string(event.name()));
    });
    started = &backend;
    backend.start_recording();
    for (;;) pause();
  }

  UniqueFD pipe_;
  pid_t child_ = -1;
};

struct Death {
  const char* event;
  int count;
  double latency_sec;
};

class KilledNote : public NoteSession, public testing::WithParamInterface<Death> {};

TEST_P(KilledNote, IsCompletedByRecovery) {
  const Script script(hurried(), 0.1);
  const RecorderConfig config = in_real_time(configuration(script, GetParam().latency_sec), script);
  {
    Recording recording(config);
    session_ = recording.wait_for(GetParam().event, GetParam().count);
    ASSERT_FALSE(session_.empty());
    recording.kill();
  }
  api::resume_session(config, session_, recorder::Redo::nothing, ignore);
  expect_whole();
  const auto notes = written();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].title, "shopping list");
  std::vector<std::uint32_t> body;
  std::string text;
  for (const session::Segment& segment : session::read_manifest(session_).segments) {
    if (segment.index < 2) continue;
    body.push_back(segment.index);
    text += (text.empty() || segment.text.empty() ? "" : " ") + segment.text;
  }
  EXPECT_EQ(notes[0].segments, body);
  EXPECT_EQ(notes[0].text, text);
  EXPECT_TRUE(std::filesystem::exists(notes[0].path));
}

INSTANTIATE_TEST_SUITE_P(Moments, KilledNote,
                         testing::Values(Death{"NoteTitleCaptured", 1, 0}, Death{"SpeechDetected", 3, 0},
                                         Death{"TranscriptionComplete", 3, 0}, Death{"SpeechDetected", 4, 0},
                                         Death{"SpeechDetected", 4, 5}, Death{"TranscriptionComplete", 1, 1.2}),
                         [](const auto& test) { return std::string(test.param.event) + std::to_string(test.index); });

TEST_F(NoteSession, RecoveryRepeatedAddsNothing) {
  const Script script(hurried(), 0.1);
  const RecorderConfig config = in_real_time(configuration(script), script);
  {
    Recording recording(config);
    session_ = recording.wait_for("SpeechDetected", 4);
    ASSERT_FALSE(session_.empty());
  }
  api::resume_session(config, session_, recorder::Redo::nothing, ignore);
  const auto after = test::files_in(session_);
  api::resume_session(config, session_, recorder::Redo::nothing, ignore);
  EXPECT_EQ(test::files_in(session_), after);
}

TEST_F(NoteSession, ASecondPassIsARevisionOfTheTextsAndOfTheirNote) {
  record(configuration(Script(shopping())));
  const auto notes = written();
  std::vector<Script::Line> better = shopping();
  better[3].text = "two pints of oat milk";
  api::resume_session(configuration(Script(better)), session_, recorder::Redo::everything, ignore);
  expect_whole();
  ASSERT_THAT(written(), SizeIs(2));
  EXPECT_EQ(written()[0], notes[0]);
  NoteCompleted revised = notes[0];
  revised.text.replace(revised.text.find(shopping()[3].text), shopping()[3].text.size(), "two pints of oat milk");
  revised.revision = 1;
  EXPECT_EQ(written()[1], revised);
  const auto manifest = session::read_manifest(session_);
  EXPECT_EQ(manifest.segments.at(3).text, "two pints of oat milk");
  EXPECT_TRUE(std::ranges::all_of(manifest.segments, [](const auto& segment) { return segment.revisions == 2; }));
}

TEST_F(NoteSession, ASecondPassOverWhatWasNeverTranscribedFindsItsNotes) {
  const Script script(shopping());
  RecorderConfig config = configuration(script);
  config.custom_transcriber = nullptr;
  config.transcription.transcriber = "none";
  EXPECT_THAT(record(config), IsEmpty());
  api::resume_session(configuration(script), session_, recorder::Redo::everything, ignore);
  expect_whole();
  expect_shopping_list(written());
}

}  // namespace
}  // namespace dictum
