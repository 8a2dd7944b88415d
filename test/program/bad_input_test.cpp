#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <limits>

#include "base/sanitized.hpp"
#include "dictum/error.hpp"
#include "program_fixture.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/sounds.hpp"

namespace dictum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string of_floats(float value, int count) {
  std::string bytes(static_cast<std::size_t>(count) * sizeof value, '\0');
  for (std::size_t i = 0; i < bytes.size(); i += sizeof value) std::memcpy(bytes.data() + i, &value, sizeof value);
  return bytes;
}

std::string silence(std::size_t bytes) {
  return std::string(bytes, '\0');
}

struct BadFile {
  const char* name;
  std::function<void(const std::filesystem::path&)> make;
  const char* says;  ///< what the line on standard error holds
};

void PrintTo(const BadFile& file, std::ostream* out) {
  *out << file.name;
}

auto bytes(std::string content) {
  return [content = std::move(content)](const std::filesystem::path& file) { test::write_bytes(file, content); };
}

std::vector<BadFile> refused() {
  const test::RawWAV good{.data = silence(32000)};
  return {
      {"Missing", [](const auto&) {}, "There is no file"},
      {"Directory", [](const auto& path) { std::filesystem::create_directory(path); }, "is a directory"},
      {"Empty", bytes(""), "is empty"},
      {"OneByte", bytes("R"), "is not a sound file"},
      {"TextRenamed", bytes("Dear diary,\ntoday I renamed a text.\n"), "is not a sound file"},
      {"TruncatedHeader", bytes(good.bytes().substr(0, 30)), "is not a sound file"},
      {"HeaderAlone", bytes(good.bytes().substr(0, 44)), "holds no audio"},
      {"ZeroFrames", bytes(test::RawWAV{.data = ""}.bytes()), "holds no audio"},
      {"OneHertz", bytes(test::RawWAV{.sample_rate = 1, .data = silence(200)}.bytes()), "has a sample rate of 1 Hz"},
      {"ZeroHertz", bytes(test::RawWAV{.sample_rate = 0, .data = silence(200)}.bytes()), "has a sample rate of 0 Hz"},
      {"ThreeGigahertz", bytes(test::RawWAV{.sample_rate = 3000000000U, .data = silence(200)}.bytes()),
       "has a sample rate of"},
      {"NoChannels", bytes(test::RawWAV{.channels = 0, .data = silence(200)}.bytes()), "has 0 channels"},
      {"ManyChannels", bytes(test::RawWAV{.channels = 2000, .data = silence(8000)}.bytes()), "has 2000 channels"},
      {"NotAFile", [](const auto& path) { std::filesystem::create_symlink("/dev/zero", path); }, "not a regular file"},
  };
}

class RefusedFile : public test::ProgramTest, public testing::WithParamInterface<BadFile> {
 protected:
  RefusedFile() : file(folder / "BadFile.wav") { GetParam().make(file); }

  void expect_one_line_about_it(const test::ProgramResult& result) const {
    EXPECT_EQ(result.exit_code, 1) << "signal " << result.signal;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr(GetParam().says), HasSubstr("BadFile"))));
  }

  std::filesystem::path file;
};

TEST_P(RefusedFile, RecordSaysWhatIsWrongAndLeavesNothing) {
  expect_one_line_about_it(test::run_program(record({"--no-transcribe", "--json", "--input", file})));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_P(RefusedFile, AnalyzeSaysWhatIsWrong) {
  expect_one_line_about_it(run({"analyze", "--json", file}));
}

INSTANTIATE_TEST_SUITE_P(Files, RefusedFile, testing::ValuesIn(refused()),
                         [](const auto& test) { return std::string(test.param.name); });

std::vector<BadFile> odd() {
  const float infinite = std::numeric_limits<float>::infinity();
  const float none = std::numeric_limits<float>::quiet_NaN();
  return {
      {"NaN", bytes(test::RawWAV{.bits = 32, .is_float = true, .data = of_floats(none, 16000)}.bytes()), "no numbers"},
      {"Infinite", bytes(test::RawWAV{.bits = 32, .is_float = true, .data = of_floats(-infinite, 16000)}.bytes()),
       "no numbers"},
      {"DataLongerThanTheFile", bytes(test::RawWAV{.data = silence(32000), .announced_bytes = 1'000'000'000}.bytes()),
       "was cut off: 999968000 bytes"},
      {"FastestRate", bytes(test::RawWAV{.sample_rate = 768'000, .data = silence(2 * 768'000)}.bytes()), ""},
      {"ThirtyTwoChannels", bytes(test::RawWAV{.channels = 32, .data = silence(64 * 16000)}.bytes()), ""},
      {"HugeNumbers", bytes(test::RawWAV{.bits = 32, .is_float = true, .data = of_floats(3e38F, 16000)}.bytes()), ""},
  };
}

class OddFile : public test::ProgramTest, public testing::WithParamInterface<BadFile> {};

TEST_P(OddFile, IsRecordedAsFarAsItHoldsSound) {
  GetParam().make(folder / "odd.wav");
  const auto result = test::run_program(record({"--no-transcribe", "--json", "--input", folder / "odd.wav"}));
  EXPECT_EQ(result.exit_code, 0) << "signal " << result.signal;
  EXPECT_EQ(result.err, "");
  const auto manifest = session::read_manifest(session());
  EXPECT_EQ(manifest.end_frame, manifest.sample_rate) << "it holds a second of sound";
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_P(OddFile, WhatIsOddAboutItIsReported) {
  GetParam().make(folder / "odd.wav");
  const auto result = test::run_program(record({"--no-transcribe", "--json", "--input", folder / "odd.wav"}));
  std::string reported;
  for (const auto& fault : test::bodies<RecorderFault>(test::events(result.out))) reported += fault.message;
  EXPECT_THAT(reported, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Files, OddFile, testing::ValuesIn(odd()),
                         [](const auto& test) { return std::string(test.param.name); });

// --- Where the sessions should go
// --------------------------------------------------------------------------------------

class BadOutput : public test::ProgramTest {
 protected:
  void expect_refused(const test::ProgramResult& result, const char* says) const {
    EXPECT_EQ(result.exit_code, 1) << "signal " << result.signal;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr(says)));
  }
};

TEST_F(BadOutput, AFileIsInTheWay) {
  std::ofstream(folder / "file") << "not a folder";
  const std::string place = folder / "file";
  expect_refused(run({"record", "--no-transcribe", "--input", tone(), "--output-dir", place}), "is no folder");
}

TEST_F(BadOutput, AFileIsInTheWayFurtherUp) {
  std::ofstream(folder / "file") << "not a folder";
  const std::string place = folder / "file/sessions";
  expect_refused(run({"record", "--no-transcribe", "--input", tone(), "--output-dir", place}), "is no folder");
}

TEST_F(BadOutput, ThePlaceCannotBeWritten) {
  const std::string place = "/proc/sessions";
  expect_refused(run({"record", "--no-transcribe", "--input", tone(), "--output-dir", place}), "cannot be written");
}

TEST_F(BadOutput, NoRoomAtTheStartLeavesNothing) {
  if (kThreadSanitized) GTEST_SKIP() << "ThreadSanitizer itself writes a file before a program begins";
  auto settings = record({"--no-transcribe", "--vad", "energy", "--input", tone()});
  settings.file_size_limit = 0;
  expect_refused(test::run_program(settings), "No room is left");
  EXPECT_THAT(sessions(), IsEmpty());
}

class FullDisk : public test::ProgramTest {
 protected:
  /// The room ends in the middle of the segment.
  test::ProgramResult run_out_of_room(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--no-transcribe", "--vad", "energy", "--input", tone()});
    auto settings = record(std::move(arguments));
    settings.file_size_limit = 64 * 1024;
    return test::run_program(settings);
  }
};

TEST_F(FullDisk, TheProgramFails) {
  EXPECT_EQ(run_out_of_room({}).exit_code, 1);
}

TEST_F(FullDisk, IsReportedOnce) {
  const auto faults = test::bodies<RecorderFault>(test::events(run_out_of_room({"--json"}).out));
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].code, to_string(Errc::disk_full));
  EXPECT_THAT(faults[0].message, HasSubstr("free some space"));
}

TEST_F(FullDisk, TheRecordingComesToItsEnd) {
  run_out_of_room({});
  EXPECT_EQ(session::read_manifest(session()).end_frame, 7 * 16000);
}

TEST_F(FullDisk, ResumeMakesTheSessionWholeOnceThereIsRoom) {
  run_out_of_room({});
  run({"resume", session()});
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

// --- What turns sound into text
// ----------------------------------------------------------------------------------------

class BadTranscriber : public test::ProgramTest {};

TEST_F(BadTranscriber, AMissingOneIsNamedBesideThoseThatAreInstalled) {
  const auto result = test::run_program(record({"--transcriber", "nosuch", "--json", "--input", tone()}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("nosuch"), HasSubstr("simulated"))));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(BadTranscriber, ANameThatIsNoneIsRefused) {
  const auto result = test::run_program(record({"--transcriber", "../evil", "--json", "--input", tone()}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(BadTranscriber, AMissingModelIsNamedAndTheAudioIsSafe) {
  auto settings = record({"--transcriber", "simulated", "--vad", "energy", "--input", tone(), "--simulated-script",
                          folder / "missing.json"});
  const auto result = test::run_program(settings);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err),
              ElementsAre(testing::AllOf(HasSubstr("missing.json"), HasSubstr("dictum resume --failed"))));
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(BadTranscriber, WhatHadNoTextIsTranscribedByResume) {
  test::run_program(record({"--transcriber", "simulated", "--vad", "energy", "--input", tone(), "--simulated-script",
                            folder / "missing.json"}));
  const auto result = run({"resume", "--failed", "--transcriber", "simulated", session()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(test::contents(session() / "transcript_raw.txt"), HasSubstr("segment 0"));
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

// --- Where the events go
// -----------------------------------------------------------------------------------------------

class LostOutput : public test::ProgramTest {
 protected:
  /// `dictum` with these words, its descriptors redirected as a shell does it.
  test::ProgramResult redirected(std::vector<std::string> arguments, const std::string& redirection) const {
    auto settings = dictum(std::move(arguments));
    settings.arguments.insert(settings.arguments.begin(), {"-c", "exec \"$0\" \"$@\" " + redirection, DICTUM_PROGRAM});
    settings.executable = "/bin/sh";
    return test::run_program(settings);
  }

  std::vector<std::string> file_recording() const {
    return {"record", "--output-dir", folder / "sessions", "--no-transcribe", "--vad", "energy", "--json", tone()};
  }
};

TEST_F(LostOutput, OfAFileLeavesTheWholeRecordingAndFails) {
  auto settings = record({"--no-transcribe", "--vad", "energy", "--json", "--input", tone()});
  settings.output = "/dev/full";
  const auto result = test::run_program(settings);
  EXPECT_EQ(result.exit_code, 1) << "signal " << result.signal;
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("standard output cannot be written")));
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
  EXPECT_EQ(session::read_manifest(session()).end_frame, 7 * 16000);
}

TEST_F(LostOutput, IsAFailureOfEveryCommand) {
  ASSERT_EQ(run(file_recording()).exit_code, 0);
  const std::string root = folder / "sessions";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"sessions", "list", "--output-dir", root},
        {"sessions", "list", "--json", "--output-dir", root},
        {"sessions", "show", "last", "--output-dir", root},
        {"sessions", "export", "last", "-", "--format", "json", "--output-dir", root},
        {"sessions", "reindex", "--output-dir", root},
        {"notes", "list", "--output-dir", root},
        {"replay", "last", "--speed", "0", "--output-dir", root},
        {"transcribers"},
        {"--help"},
        {"--version"}}) {
    const auto result = redirected(command, ">/dev/full");
    EXPECT_EQ(result.exit_code, 1) << command[0] << " " << result.signal;
    EXPECT_THAT(result.err, HasSubstr("standard output cannot be written")) << command[0];
  }
}

class Descriptors : public LostOutput, public testing::WithParamInterface<const char*> {};

TEST_P(Descriptors, ThatAreBrokenNeitherAbortNorCutARecording) {
  const auto failed = redirected({"record", "missing.wav", "--output-dir", folder / "other"}, GetParam());
  EXPECT_EQ(failed.exit_code, 1) << "signal " << failed.signal;
  const auto recorded = redirected(file_recording(), GetParam());
  EXPECT_EQ(recorded.signal, 0);
  EXPECT_EQ(session::read_manifest(session()).end_frame, 7 * 16000);
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
  EXPECT_EQ(recorded.exit_code, std::string_view(GetParam()).find("1>") != std::string_view::npos ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, Descriptors,
                         testing::Values("2>&-", "2>/dev/full", "0<&-", "0<&- 2>&-", "1>&-", "1>/dev/full 2>/dev/full",
                                         "0<&- 1>&- 2>&-"));

class EmptyValue : public test::ProgramTest, public testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(EmptyValue, IsAWrongUseAndNeverNotGiven) {
  const auto result = run(GetParam());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("is empty")));
  EXPECT_THAT(sessions(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Everywhere, EmptyValue,
                         testing::Values(std::vector<std::string>{"record", "--input", "", "--duration", "1"},
                                         std::vector<std::string>{"record", "--input="},
                                         std::vector<std::string>{"record", ""},
                                         std::vector<std::string>{"record", "--device", ""},
                                         std::vector<std::string>{"record", "--output-dir", "", "x.wav"},
                                         std::vector<std::string>{"sessions", "list", "--config", ""},
                                         std::vector<std::string>{"sessions", "show", ""},
                                         std::vector<std::string>{"sessions", "edit", "last", "1", ""},
                                         std::vector<std::string>{"resume", ""}));

}  // namespace
}  // namespace dictum
