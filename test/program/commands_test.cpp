#include <boost/json/parse.hpp>

#include "program_fixture.hpp"
#include "vad/detector.hpp"

namespace dictum {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Commands : public test::ProgramTest {};

TEST_F(Commands, HelpSucceedsAndNamesEveryCommand) {
  const auto result = run({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* command : {"record", "resume", "analyze", "devices", "transcribers", "models", "doctor"})
    EXPECT_THAT(result.out, HasSubstr(command));
}

TEST_F(Commands, TheVersionIsPrinted) {
  const auto result = run({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(test::lines(result.out), SizeIs(1));
}

TEST_F(Commands, NoneIsAWrongUse) {
  const auto result = run({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
}

TEST_F(Commands, AnUnknownOneIsAWrongUseAndNamesTheNearest) {
  const auto result = run({"recrod"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("recrod"), HasSubstr("record"))));
}

TEST_F(Commands, AnUnknownOptionIsAWrongUseAndNamesTheNearest) {
  const auto result = run({"record", "--inptu", "file.wav"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("\"--inptu\""), HasSubstr("\"--input\""))));
}

TEST_F(Commands, AnUnknownOptionOfACommandWithinACommandNamesTheNearest) {
  const auto result = run({"sessions", "list", "--jsno=yes"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("\"--jsno\""), HasSubstr("\"--json\""))));
}

TEST_F(Commands, AnOptionWithoutItsValueIsAWrongUse) {
  const auto result = run({"record", "--input"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
}

TEST_F(Commands, AnalyzeWithoutAFileIsAWrongUse) {
  const auto result = run({"analyze"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
}

TEST_F(Commands, RecordWithoutAMicrophoneSaysHowToGoOn) {
  const auto result = test::run_program(record({"--no-transcribe"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("Start PulseAudio or PipeWire")));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(Commands, DoctorNamesTheDetector) {
  const auto result = run({"doctor"});
  EXPECT_THAT(result.exit_code, AnyOf(0, 1));
  EXPECT_THAT(result.out, HasSubstr(vad::load_embedded_weights() ? "Silero VAD" : "no Silero model"));
}

TEST_F(Commands, DoctorSaysHowToGetWhatIsMissing) {
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("!!  microphone"));
}

TEST_F(Commands, DoctorListsTheTranscribers) {
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("simulated"));
}

TEST_F(Commands, DoctorFailsWhereSomethingIsMissing) {
  EXPECT_EQ(run({"doctor"}).exit_code, 1);
}

TEST_F(Commands, TranscribersAreListedWithWhatTheySayOfThemselves) {
  const auto result = run({"transcribers"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("simulated"));
  EXPECT_EQ(result.err, "");
}

TEST_F(Commands, DevicesAreAJSONDocumentAlsoWhereNoSoundServerCanBeReached) {
  const auto result = run({"devices", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(boost::json::parse(result.out).as_array().empty());
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("Start PulseAudio or PipeWire")));
}

TEST_F(Commands, ResumeOfNothingSucceeds) {
  const auto result = run({"resume", "--transcriber", "simulated"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("Nothing is unfinished"));
}

TEST_F(Commands, ResumeOfASessionThatIsNotThereFails) {
  const auto result = run({"resume", "--transcriber", "simulated", "20261122_000000"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("20261122_000000")));
}

}  // namespace
}  // namespace dictum
