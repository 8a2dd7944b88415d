#include <boost/json/parse.hpp>
#include <csignal>

#include "live/microphone_program.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/test_data.hpp"
#include "wire/event_json.hpp"

/// `dictum record` and `dictum devices` in front of a microphone.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::Not;
using testing::SizeIs;

class RecordLive : public test::MicrophoneProgram {
 protected:
  /// Of the one session that is there, which must be whole.
  session::Manifest manifest() const {
    const auto all = sessions();
    if (all.size() != 1) throw std::runtime_error(std::to_string(all.size()) + " sessions");
    EXPECT_THAT(test::grammar_violations(all.front()), IsEmpty());
    return session::read_manifest(all.front());
  }

  static double length(const session::Manifest& manifest) { return manifest.seconds(manifest.end_frame); }
};

TEST_F(RecordLive, StopsAfterTheDuration) {
  const auto result = test::run_program(record({"--duration", "1.5"}), 10s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("Session: "));
  EXPECT_NEAR(length(manifest()), 1.5, 0.2);
}

TEST_F(RecordLive, StopsAfterSilence) {
  const auto result = test::run_program(record({"--stop-after-silence", "1"}), 10s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(length(manifest()), AllOf(Ge(1.0), Le(2.0)));
}

TEST_F(RecordLive, StopsAfterSilenceAlsoWithoutLevels) {
  const auto result = test::run_program(record({"--stop-after-silence", "1", "--level-hz", "0", "--json"}), 10s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, Not(HasSubstr("AudioLevel")));
  EXPECT_THAT(length(manifest()), AllOf(Ge(1.0), Le(2.0)));
}

TEST_F(RecordLive, DoesNotStopWhereThereIsSpeech) {
  DICTUM_TEST_DATA_OR_SKIP(speech, "audio/jfk.wav");
  daemon->play(speech);
  const auto result = test::run_program(record({"--stop-after-silence", "1.5"}), 30s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(length(manifest()), 9);
  EXPECT_THAT(manifest().segments, SizeIs(3));
}

TEST_F(RecordLive, KeepsWhatWasSaidUpToTheInterruption) {
  DICTUM_TEST_DATA_OR_SKIP(speech, "audio/radio.wav");
  test::RunningProgram program(record({"--json"}));
  program.wait_for_output("\"recording\"");
  daemon->play(speech);
  program.wait_for_output("SpeechDetected");
  program.send(SIGINT);
  const auto result = program.wait(3s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto all = manifest();
  ASSERT_THAT(all.segments, SizeIs(1));
  EXPECT_TRUE(all.segments.front().is_kept());
  EXPECT_GT(all.segments.front().end_frame, all.end_frame - all.sample_rate / 5);
}

TEST_F(RecordLive, StopsWhereTheSoundServerStandsStill) {
  test::RunningProgram program(record({"--json"}));
  program.wait_for_output("\"recording\"");
  daemon->freeze();
  program.wait_for_output("RecorderFault");
  program.send(SIGINT);
  EXPECT_EQ(program.wait(3s).exit_code, 0);
  EXPECT_THAT(manifest().gaps, SizeIs(1));
}

TEST_F(RecordLive, ASecondInterruptionLosesNothingOfTheSound) {
  DICTUM_TEST_DATA_OR_SKIP(speech, "audio/radio.wav");
  test::RunningProgram program(record({"--json"}));
  program.wait_for_output("\"recording\"");
  daemon->play(speech);
  program.wait_for_output("SpeechDetected");
  program.send(SIGINT);
  program.send(SIGINT);
  program.wait(3s);
  const auto all = manifest();
  ASSERT_THAT(all.segments, SizeIs(1));
  EXPECT_GT(all.segments.front().end_frame, all.end_frame - all.sample_rate / 5);
}

TEST_F(RecordLive, PrintsLevelsOnlyWhereTheyAreWanted) {
  const auto without = test::run_program(record({"--duration", "1", "--json"}), 10s);
  EXPECT_THAT(without.out, Not(HasSubstr("AudioLevel")));
  const auto with = test::run_program(record({"--duration", "1", "--json", "--live-events"}), 10s);
  EXPECT_THAT(with.out, HasSubstr("AudioLevel"));
}

TEST_F(RecordLive, RecordsADeviceOfSevenChannelsAtAnOddRate) {
  daemon->load("seven", 11025, 7);
  const auto result = test::run_program(record({"--duration", "1", "--device", "seven"}), 10s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(manifest().sample_rate, 11025);
  EXPECT_NEAR(length(manifest()), 1, 0.2);
}

TEST_F(RecordLive, NamesTheDeviceInTheManifest) {
  const auto result = test::run_program(record({"--duration", "0.5", "--device", "pulse:mic"}), 10s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(manifest().source, Not(IsEmpty()));
}

TEST_F(RecordLive, ListsTheDevicesForPeople) {
  const auto result = test::run_program(dictum({"devices"}), 10s);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("pulse:mic"), HasSubstr("1 channel, 48000 Hz"), HasSubstr("* ")));
}

TEST_F(RecordLive, ListsTheDevicesForPrograms) {
  const auto result = test::run_program(dictum({"devices", "--json"}), 10s);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto devices = boost::json::parse(result.out).as_array();
  const auto mic = std::ranges::find_if(devices, [](const auto& device) { return device.at("id") == "pulse:mic"; });
  ASSERT_NE(mic, devices.end());
  EXPECT_EQ(mic->at("channels"), 1);
  EXPECT_EQ(mic->at("sample_rate"), 48000);
  EXPECT_EQ(mic->at("is_default"), true);
  EXPECT_EQ(mic->at("is_monitor"), false);
}

TEST_F(RecordLive, ADeviceIsFoundByTheIdThatIsListed) {
  for (const char* backend : {"pulse", "portaudio"}) {
    const auto listed = test::run_program(dictum({"devices", "--json", "--backend", backend}), 10s);
    ASSERT_EQ(listed.exit_code, 0) << listed.err;
    const auto devices = boost::json::parse(listed.out).as_array();
    for (const auto& device : devices) {
      if (device.at("name") != "mic") continue;
      const std::string id(device.at("id").as_string());
      const auto recorded = test::run_program(record({"--duration", "0.3", "--backend", backend, "--device", id}), 10s);
      EXPECT_EQ(recorded.exit_code, 0) << id << ": " << recorded.err;
    }
  }
}

}  // namespace
}  // namespace dictum
