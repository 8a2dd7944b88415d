#include <algorithm>
#include <boost/json/parse.hpp>
#include <cctype>
#include <fstream>
#include <set>
#include <sstream>

#include "journal/journal_reader.hpp"
#include "program_fixture.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/sounds.hpp"
#include "support/test_data.hpp"

namespace dictum {
namespace {

class RecordFiles : public test::ProgramTest {};

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RecordCommand : public test::ProgramTest {
 protected:
  std::filesystem::path script(const std::string& json) const {
    std::ofstream(folder / "script.json") << json;
    return folder / "script.json";
  }

  /// Beeps that can be distinguished, in words.
  test::ProgramSettings spoken(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(),
                     {"--vad", "energy", "--min-silence-ms", "200", "--input", beeps(4), "--transcriber", "simulated",
                      "--simulated-script", script(R"({"texts": ["one", "two", "three"]})")});
    return record(std::move(arguments));
  }
};

TEST_F(RecordCommand, PrintsTheJournalAndNothingElseAsJSON) {
  const auto result = test::run_program(spoken({"--json"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  std::vector<std::string> journal;
  journal::JournalReader reader(session());
  while (const auto event = reader.next()) journal.push_back(event->to_json());
  EXPECT_EQ(test::lines(result.out), journal);
}

TEST_F(RecordCommand, LeavesAWholeSession) {
  test::run_program(spoken({"--json"}));
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(RecordCommand, TranscribesEverySegment) {
  const auto all = test::events(test::run_program(spoken({"--json"})).out);
  std::vector<std::string> texts;
  for (const auto& complete : test::bodies<TranscriptionComplete>(all)) texts.push_back(complete.text);
  EXPECT_THAT(texts, ElementsAre("one", "two", "three", "segment 3"));
}

TEST_F(RecordCommand, SucceedsWherePocketSphinxServesInPlaceOfWhisper) {
  if (!std::filesystem::exists(std::filesystem::path(DICTUM_BIN_DIR) / "dictum-worker-pocketsphinx"))
    GTEST_SKIP() << "this build has no pocketsphinx worker";
  const auto programs = folder / "programs";  // as set-up leaves them where it cannot get Whisper
  std::filesystem::create_directory(programs);
  for (const char* name : {"dictum", "dictum-guard", "dictum-decoder", "dictum-worker-pocketsphinx"})
    std::filesystem::copy_file(std::filesystem::path(DICTUM_BIN_DIR) / name, programs / name);
  auto program = record({"--json", "--vad", "energy", "--input", tone().string(), "--pace", "fast"});
  program.executable = programs / "dictum";
  program.environment["DICTUM_WORKER_DIR"] = "";
  program.environment["PATH"] = "/usr/bin:/bin";
  const auto result = test::run_program(std::move(program));
  const auto faults = test::bodies<RecorderFault>(test::events(result.out));
  ASSERT_THAT(faults, testing::SizeIs(1)) << result.err;
  EXPECT_EQ(faults[0].code, "transcriber_missing");
  EXPECT_THAT(test::bodies<TranscriptionComplete>(test::events(result.out)), testing::SizeIs(1));
  EXPECT_EQ(result.exit_code, 0) << "every text is there";
}

TEST_F(RecordCommand, ShowsTextAndSessionToAPerson) {
  const auto result = test::run_program(spoken({}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, testing::AllOf(HasSubstr("  one\n"), HasSubstr("Session: " + session().string() + "\n")));
}

TEST_F(RecordCommand, WithoutTranscriptionQueuesNothing) {
  const auto result = test::run_program(record({"--json", "--no-transcribe", "--vad", "energy", "--input", tone()}));
  const auto all = test::events(result.out);
  EXPECT_THAT(test::bodies<SpeechEnded>(all), SizeIs(1));
  EXPECT_THAT(test::bodies<TranscriptionQueued>(all), IsEmpty());
  EXPECT_EQ(session::read_manifest(session()).segments.at(0).status, session::SegmentStatus::skipped);
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(RecordCommand, LiveEventsAddTheEphemeralOnesAndNothingElse) {
  const auto all = test::events(test::run_program(spoken({"--json", "--live-events"})).out);
  std::vector<Event> lasting;
  std::ranges::copy_if(all, std::back_inserter(lasting), [](const Event& event) { return !event.is_ephemeral(); });
  EXPECT_GT(all.size(), lasting.size());
  std::vector<Event> journal;
  journal::JournalReader reader(session());
  while (auto event = reader.next()) journal.push_back(std::move(*event));
  EXPECT_EQ(lasting, journal);
}

TEST_F(RecordCommand, LevelsAreAmongTheLiveEvents) {
  EXPECT_THAT(test::bodies<AudioLevel>(test::events(test::run_program(spoken({"--json", "--live-events"})).out)),
              testing::Not(IsEmpty()));
}

TEST_F(RecordCommand, ASegmentWithoutTextIsAFailure) {
  auto settings = spoken({});
  script(R"({"segments": {"1": [{"do": "error", "message": "out of words"}]}})");
  const auto result = test::run_program(settings);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("1 segment has"), HasSubstr("out of words"),
                                                                  HasSubstr("dictum resume"))));
  EXPECT_THAT(run({"sessions", "list", "--output-dir", folder / "sessions"}).out,
              HasSubstr("1 segment has no text: the transcription failed."));
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(RecordCommand, AWorkerThatCrashesIsReplaced) {
  auto settings = spoken({});
  script(R"({"segments": {"1": [{"do": "crash"}, {}]}})");
  EXPECT_EQ(test::run_program(settings).exit_code, 0);
  EXPECT_THAT(test::contents(session() / "transcript_raw.txt"), HasSubstr("segment 1"));
}

TEST_F(RecordCommand, StopsAfterTheDurationThatIsAsked) {
  const auto result = test::run_program(
      record({"--no-transcribe", "--vad", "energy", "--pace", "realtime", "--duration", "0.3", "--input", beeps(30)}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_LT(session::read_manifest(session()).end_frame, 20 * 16000);
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(RecordCommand, TheSameFileGivesTheSameSoundFiles) {
  for (int i = 0; i < 2; ++i) test::run_program(spoken({"--block-frames", i == 0 ? "160" : "4800"}));
  const auto both = sessions();
  ASSERT_THAT(both, SizeIs(2));
  EXPECT_EQ(test::contents(both[0] / "seg_0002.wav"), test::contents(both[1] / "seg_0002.wav"));
}

// --- With a real recogniser
// ----------------------------------------------------------------------------------------------

std::string letters(const std::string& text) {
  std::string kept;
  for (const char each : text) {
    if (std::isalpha(static_cast<unsigned char>(each)) != 0)
      kept.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(each))));
  }
  return kept;
}

TEST_F(RecordCommand, TheBundledVoiceNoteBecomesANote) {
  if (!std::filesystem::exists(std::filesystem::path(DICTUM_BIN_DIR) / "dictum-worker-pocketsphinx"))
    GTEST_SKIP() << "this build has no pocketsphinx worker";
  const auto result = test::run_program(
      record({"--json", "--transcriber", "pocketsphinx", "--input", test::project_file("samples/voice_note.wav")}),
      std::chrono::seconds(170));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto all = test::events(result.out);
  std::string text;
  for (const auto& complete : test::bodies<TranscriptionComplete>(all)) text += complete.text;
  EXPECT_GT(letters(text).size(), 40U);
  const auto notes = test::bodies<NoteCompleted>(all);
  ASSERT_THAT(notes, testing::Not(IsEmpty()));
  EXPECT_TRUE(std::filesystem::path(notes[0].path).is_absolute());
  EXPECT_THAT(test::contents(notes[0].path), HasSubstr(notes[0].title));
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(RecordFiles, AreASessionEach) {
  const auto result = test::run_program(record({"--no-transcribe", "--vad", "energy", tone(), beeps(3)}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  ASSERT_THAT(sessions(), testing::SizeIs(2));
  std::vector<Frame> lengths;
  for (const auto& each : sessions()) lengths.push_back(session::read_manifest(each).end_frame);
  EXPECT_THAT(lengths, testing::UnorderedElementsAre(7 * 16000, 3 * 16000));
}

TEST_F(RecordFiles, ThatFailDoNotKeepTheOthersFromBeingRecorded) {
  const auto result = test::run_program(record({"--no-transcribe", "--vad", "energy", folder / "missing.wav", tone()}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, testing::HasSubstr("missing.wav"));
  EXPECT_EQ(session::read_manifest(session()).end_frame, 7 * 16000);
}

TEST_F(RecordFiles, ExcludeTheOptionForOne) {
  EXPECT_EQ(test::run_program(record({"--no-transcribe", "--input", tone(), tone()})).exit_code, 2);
}

class RecordJobs : public RecordFiles {
 protected:
  test::ProgramSettings record_at_once(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--jobs", "2", "--vad", "energy", "--transcriber", "simulated"});
    return record(arguments);
  }
};

TEST_F(RecordJobs, MakeASessionOfEachFileAndALineWhenItIsDone) {
  const auto result = test::run_program(record_at_once({"--json", tone(), tone(), tone()}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  std::set<std::string> sessions;
  for (std::string line; std::getline(lines, line);) {
    const auto job = boost::json::parse(line).as_object();
    EXPECT_EQ(job.at("file").as_string(), tone().string());
    EXPECT_EQ(job.at("segments").as_int64(), 1);
    EXPECT_EQ(job.at("waiting_for_text").as_int64(), 0);
    EXPECT_TRUE(job.at("error").is_null());
    sessions.insert(job.at("session").as_string().c_str());
  }
  EXPECT_EQ(sessions.size(), 3);
  for (const auto& session : sessions) EXPECT_TRUE(std::filesystem::exists(session + "/transcript_raw.txt")) << session;
}

TEST_F(RecordJobs, AFileThatFailsKeepsNoOtherFromBeingRecorded) {
  const auto result = test::run_program(record_at_once({"missing.wav", tone()}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, testing::HasSubstr("missing.wav"));
  EXPECT_THAT(result.out, testing::HasSubstr(tone().string() + ": "));
}

TEST_F(RecordJobs, RunTheHooksOfEachFile) {
  const std::string out = folder / "out";
  std::ofstream(folder / "config.toml") << "[hooks]\non_text = [\"tee\", \"-a\", \"" << out << "\"]\n";
  const auto result = test::run_program(record_at_once({"--config", folder / "config.toml", tone(), tone(), tone()}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(test::contents(out));
  std::set<std::string> sessions;
  for (std::string line; std::getline(lines, line);) {
    sessions.insert(boost::json::parse(line).at("session").as_string().c_str());
  }
  EXPECT_EQ(sessions.size(), 3);
}

TEST_F(RecordJobs, NeedFiles) {
  EXPECT_EQ(test::run_program(record({"--jobs", "2"})).exit_code, 2);
}

TEST_F(RecordCommand, WhatHasNoEffectWithAServerIsRefused) {
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--live-events"},
                                                {"--min-silence-ms", "500"},
                                                {"--vad", "energy"},
                                                {"--far-field"},
                                                {"--transcriber", "simulated"},
                                                {"--keep-all"},
                                                {"--drain-sec", "1"},
                                                {"--channel", "0"}}) {
    std::vector<std::string> arguments = {"record", "--to", "ws://127.0.0.1:1", tone().string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const auto result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << flags.front();
    EXPECT_THAT(result.err, testing::HasSubstr(flags.front() + " does not go with --to"));
  }
}

TEST_F(RecordCommand, ATokenEndsWhereTheLineDoes) {
  test::write_bytes(folder / "token", "\r\n");
  const auto result = run({"record", "--to", "ws://127.0.0.1:1", "--to-token", folder / "token", tone()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, testing::HasSubstr("no token can be read"));
}

}  // namespace
}  // namespace dictum
