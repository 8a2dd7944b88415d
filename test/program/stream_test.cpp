#include "program_fixture.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"

namespace dictum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// `--input -`: audio through a pipe.
class StandardInput : public test::ProgramTest {
 protected:
  static constexpr std::size_t kHeader = 44;

  test::ProgramSettings listening(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.end(), {"--json", "--no-transcribe", "--vad", "energy", "--input", "-"});
    return record(std::move(arguments));
  }

  test::ProgramResult run_with(std::string input, std::vector<std::string> arguments = {}) const {
    auto settings = listening(std::move(arguments));
    settings.input = std::move(input);
    return test::run_program(settings);
  }
};

TEST_F(StandardInput, TakesAWAV) {
  const auto result = run_with(test::contents(tone()));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(session::read_manifest(session()).end_frame, 7 * 16000);
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(StandardInput, TakesRawSamples) {
  const auto result = run_with(test::contents(tone()).substr(kHeader), {"--input-format", "s16le:16000:1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(session::read_manifest(session()).end_frame, 7 * 16000);
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(StandardInput, GivesTheSegmentsOfTheFile) {
  run_with(test::contents(tone()));
  const auto piped = session::read_manifest(session()).segments;
  std::filesystem::remove_all(session());
  test::run_program(record({"--no-transcribe", "--vad", "energy", "--input", tone()}));
  EXPECT_EQ(session::read_manifest(session()).segments, piped);
}

TEST_F(StandardInput, IsTranscribedWhileItIsStillSpoken) {
  const std::string wav = test::contents(tone());
  auto settings = listening();
  settings.input = wav.substr(0, kHeader + 2 * 16000 * 4);
  settings.keeps_input_open = true;
  test::RunningProgram program(settings);
  program.wait_for_output("SpeechDetected");
  program.feed(std::string_view(wav).substr(kHeader + 2 * 16000 * 4));
  program.end_input();
  EXPECT_EQ(program.wait().exit_code, 0);
  EXPECT_EQ(session::read_manifest(session()).end_frame, 7 * 16000);
}

TEST_F(StandardInput, MayEndInTheMiddleOfASample) {
  const auto result = run_with(test::contents(tone()).substr(0, kHeader + 2 * 16000 + 1));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(session::read_manifest(session()).end_frame, 16000);
}

struct BadStream {
  const char* name;
  std::string input;
  std::vector<std::string> arguments;
};

class BadStandardInput : public StandardInput, public testing::WithParamInterface<BadStream> {};

TEST_P(BadStandardInput, IsRefusedInOneLineAndLeavesNothing) {
  const auto result = run_with(GetParam().input, GetParam().arguments);
  EXPECT_EQ(result.exit_code, 1) << "signal " << result.signal;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
  EXPECT_THAT(sessions(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Streams, BadStandardInput,
                         testing::Values(BadStream{"Nothing", "", {}}, BadStream{"Text", "hello, hello, hello\n", {}},
                                         BadStream{"HalfAHeader", std::string("RIFF\x24\0\0\0WAVEfmt ", 16), {}},
                                         BadStream{"NoFormat", "....", {"--input-format", "s16le:48000"}},
                                         BadStream{"NoSamples", "", {"--input-format", "s16le:48000:1"}},
                                         BadStream{"NoRate", "....", {"--input-format", "s16le:0:1"}}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace dictum
