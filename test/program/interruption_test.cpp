#include <cctype>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include "program_fixture.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"

namespace dictum {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// A recording in real time that would go on for minutes.
class Interruption : public test::ProgramTest {
 protected:
  test::ProgramSettings live(const std::string& script = "{}") const {
    std::ofstream(folder / "script.json") << script;
    return record({"--json", "--pace", "realtime", "--vad", "energy", "--min-silence-ms", "200", "--post-roll-ms",
                   "100", "--transcriber", "simulated", "--simulated-script", folder / "script.json", "--input",
                   beeps(120)});
  }

  void expect_whole() const { EXPECT_THAT(test::grammar_violations(session()), IsEmpty()); }
};

class StopSignal : public Interruption, public testing::WithParamInterface<int> {};

TEST_P(StopSignal, EndsTheRecordingCleanly) {
  test::RunningProgram program(live());
  program.wait_for_output("SpeechDetected");
  program.send(GetParam());
  const auto result = program.wait();
  EXPECT_EQ(result.exit_code, 0) << "signal " << result.signal << " " << result.err;
  expect_whole();
}

TEST_P(StopSignal, KeepsAndTranscribesTheOpenSegment) {
  test::RunningProgram program(live());
  program.wait_for_output("SpeechDetected", 2);
  program.send(GetParam());
  const auto all = test::events(program.wait().out);
  const auto opened = test::bodies<SpeechDetected>(all);
  const auto ended = test::bodies<SpeechEnded>(all);
  ASSERT_EQ(ended.size(), opened.size());
  EXPECT_TRUE(ended.back().kept);
  EXPECT_THAT(test::bodies<TranscriptionComplete>(all), SizeIs(opened.size()));
}

INSTANTIATE_TEST_SUITE_P(Signals, StopSignal, testing::Values(SIGINT, SIGTERM, SIGHUP), [](const auto& test) {
  return test.param == SIGINT ? "INT" : test.param == SIGTERM ? "TERM" : "HUP";
});

/// The limits of core dumps of each process in whose environment the text stands, by the process' name.
std::map<std::string, std::string> core_limits(const std::string& text) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::filesystem::path process = entry.path();
    if (!std::isdigit(static_cast<unsigned char>(process.filename().string().front()))) continue;
    if (test::contents(process / "environ").find(text) == std::string::npos) continue;
    std::string name = test::contents(process / "comm");
    name.erase(name.find_last_not_of('\n') + 1);
    for (const std::string& line : test::lines(test::contents(process / "limits"))) {
      if (line.starts_with("Max core file size")) found[name] = line;
    }
  }
  return found;
}

TEST_F(Interruption, OfAnyProcessOfARecordingWritesNoCoreDump) {
  test::RunningProgram program(live());
  program.wait_for_output("TranscriptionComplete");
  const auto limits = core_limits("HOME=" + folder.path().string());
  EXPECT_TRUE(limits.contains("dictum"));
  EXPECT_TRUE(limits.contains("dictum-guard"));
  EXPECT_TRUE(limits.contains("dictum-worker-s")) << "a name has 15 characters";
  for (const auto& [name, line] : limits) {
    EXPECT_THAT(line, testing::ContainsRegex("size +1 +1 +bytes"))
        << name;  // 0 does not hold for core_pattern's programs
  }
}

TEST_F(Interruption, ASecondSignalDoesNotWaitForTexts) {
  test::RunningProgram program(live(R"({"latency_ms": 600000})"));
  program.wait_for_output("TranscriptionQueued");
  program.send(SIGINT);
  program.wait_for_output("\"idle\"");
  program.send(SIGINT);
  const auto result = program.wait();
  EXPECT_EQ(result.exit_code, 0) << "signal " << result.signal;
  EXPECT_THAT(result.err, HasSubstr("text: dictum resume"));
  EXPECT_THAT(test::grammar_violations(session(), {.transcription_may_be_pending = true}), IsEmpty());
}

TEST_F(Interruption, WhatHadNoTextThenIsTranscribedByResume) {
  {
    test::RunningProgram program(live(R"({"latency_ms": 600000})"));
    program.wait_for_output("TranscriptionQueued");
    program.send(SIGINT);
    program.wait_for_output("\"idle\"");
    program.send(SIGINT);
    program.wait();
  }
  EXPECT_EQ(run({"resume", "--transcriber", "simulated", session()}).exit_code, 0);
  expect_whole();
}

class Kill : public Interruption {
 protected:
  Kill() {
    test::RunningProgram program(live());
    program.wait_for_output("SpeechDetected", 2);
    program.wait_for_output("TranscriptionComplete");
    program.send(SIGKILL);
    before = program.wait();
  }

  test::ProgramResult resume(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"resume", "--transcriber", "simulated", "--output-dir", folder / "sessions"});
    return run(std::move(more));
  }

  test::ProgramResult before;
};

TEST_F(Kill, ResumeMakesTheSessionWhole) {
  ASSERT_EQ(before.signal, SIGKILL);
  const auto result = resume();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  expect_whole();
}

TEST_F(Kill, ResumeKeepsTheSegmentThatWasOpen) {
  const auto opened = test::bodies<SpeechDetected>(test::events(before.out));
  resume();
  const auto segments = session::read_manifest(session()).segments;
  ASSERT_GE(segments.size(), opened.size());
  EXPECT_TRUE(segments.back().is_kept());
  EXPECT_EQ(segments.back().status, session::SegmentStatus::done);
  EXPECT_GT(segments.back().end_frame, segments.back().start_frame);
}

TEST_F(Kill, ResumeKeepsEveryEventThatWasEmitted) {
  resume();
  const std::string journal = test::contents(session() / "events.jsonl");
  for (const Event& event : test::events(before.out))
    EXPECT_THAT(journal, HasSubstr("\"sequence\":" + std::to_string(*event.sequence) + ","));
  EXPECT_GE(test::lines(journal).size(), test::lines(before.out).size());
}

TEST_F(Kill, ASecondResumeFindsNothingToDo) {
  resume();
  const std::string journal = test::contents(session() / "events.jsonl");
  EXPECT_THAT(resume().out, HasSubstr("Nothing is unfinished"));
  EXPECT_EQ(test::contents(session() / "events.jsonl"), journal);
}

TEST_F(Interruption, ASessionThatIsBeingRecordedIsNotResumed) {
  test::RunningProgram program(live());
  program.wait_for_output("SpeechDetected");
  const auto result = run({"resume", "--transcriber", "simulated", session()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
  program.send(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 0);
  expect_whole();
}

}  // namespace
}  // namespace dictum
