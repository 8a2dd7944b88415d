#include <gmock/gmock.h>

#include <cstdlib>

#include "capture/devices.hpp"
#include "capture/make_microphone.hpp"
#include "capture/portaudio_stream.hpp"
#include "capture/tape.hpp"
#include "dictum/error.hpp"
#include "support/test_data.hpp"
#include "support/virtual_microphone.hpp"

/// The real backends with a real daemon, while things happen to it in the middle of speech. Each takes as long as it
/// takes: some seconds. DICTUM_SOAK=1 takes the outages at their full length.
namespace dictum::capture {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr double kTolerance = 0.020;
// Where PortAudio does not report that the source is another one: its buffer, of four periods of 10 ms, may be one
// period fuller or emptier than before.
constexpr double kUnreportedMove = kTolerance + 0.010;

std::chrono::milliseconds outage() {
  return std::getenv("DICTUM_SOAK") != nullptr ? 5000ms : 500ms;
}

class LiveMicrophone : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    if (is_portaudio() && !has_portaudio()) GTEST_SKIP() << "built without PortAudio";
    const auto speech = dictum::test::test_data("audio/radio.wav");
    if (!speech) GTEST_SKIP() << "test data not found: audio/radio.wav";
    speech_ = *speech;
    daemon_.emplace();
    source_ = make_microphone(GetParam(), "", std::make_shared<SystemClock>());
    tape_.emplace(*source_);
  }

  bool is_portaudio() const { return std::string(GetParam()) == "portaudio"; }

  /// Begins to record speech; returns when some has arrived.
  void begin() {
    tape_->open();
    daemon_->play(speech_);
    ASSERT_TRUE(tape_->read_until([&] { return tape_->has_sound_after(0); }, 3s));
    tape_->read_for(300ms);
    happened_ = tape_->elapsed();
    timeline_ = tape_->timeline();
  }

  /// Whether a fault was reported within a second of what happened.
  bool wait_for_fault() {
    return tape_->read_until([&] { return !tape_->faults.empty(); }, 3s) && tape_->faults.front().at < happened_ + 1;
  }

  /// Speech arrives again, and the timeline is settled.
  bool continues() {
    const double now = tape_->timeline();
    const bool received = tape_->read_until([&] { return tape_->has_sound_after(std::max(now, timeline_) + 0.2); }, 5s);
    tape_->read_for(300ms);
    return received;
  }

  void end(double tolerance = kTolerance) {
    const auto took = tape_->finish();
    EXPECT_LT(took, 1s);
    EXPECT_NEAR(tape_->behind(), 0, tolerance);
  }

  std::filesystem::path speech_;
  std::optional<dictum::test::VirtualMicrophone> daemon_;
  std::unique_ptr<AudioSource> source_;
  std::optional<test::Tape> tape_;
  double happened_ = 0;
  double timeline_ = 0;
};

TEST_P(LiveMicrophone, RecordsWhatIsPlayedWithoutAGap) {
  begin();
  tape_->read_for(std::getenv("DICTUM_SOAK") != nullptr ? 60s : 1s);
  end();
  EXPECT_THAT(tape_->gaps, IsEmpty());
  EXPECT_THAT(tape_->faults, IsEmpty());
}

TEST_P(LiveMicrophone, ContinuesWithADaemonThatWasKilledAndRestarted) {
  begin();
  daemon_->kill();
  EXPECT_TRUE(wait_for_fault());
  tape_->read_for(outage());
  daemon_->restart();
  daemon_->play(speech_);
  EXPECT_TRUE(continues());
  end();
  ASSERT_THAT(tape_->gaps, Not(IsEmpty()));
  EXPECT_EQ(tape_->gaps.front().gap.reason, GapReason::device_lost);
}

TEST_P(LiveMicrophone, ContinuesWithADaemonThatHung) {
  begin();
  daemon_->freeze();
  EXPECT_TRUE(wait_for_fault());
  tape_->read_for(outage());
  daemon_->thaw();
  EXPECT_TRUE(continues());
  end();
}

TEST_P(LiveMicrophone, ContinuesWithASourceThatWasSuspended) {
  begin();
  daemon_->suspend(true);
  EXPECT_TRUE(wait_for_fault());
  tape_->read_for(outage());
  daemon_->suspend(false);
  EXPECT_TRUE(continues());
  end();
  EXPECT_THAT(tape_->gaps, SizeIs(1));
}

TEST_P(LiveMicrophone, ContinuesWithAnotherSourceWhereItsOwnIsUnloaded) {
  begin();
  daemon_->unload();
  // ALSA's plugin moves with the server without a report, so that PortAudio has nothing to report.
  if (!is_portaudio()) {
    EXPECT_TRUE(wait_for_fault());
  }
  tape_->read_for(outage());
  daemon_->load("mic2", 44100, 2);
  EXPECT_TRUE(continues());
  end(is_portaudio() ? kUnreportedMove : kTolerance);
  if (!is_portaudio()) {
    ASSERT_THAT(tape_->devices, SizeIs(1));
    EXPECT_EQ(tape_->devices.front().device, "mic2");
  }
}

TEST_P(LiveMicrophone, FollowsTheDefault) {
  begin();
  daemon_->load("mic2", 44100, 2);
  EXPECT_TRUE(continues());
  end();
  if (!is_portaudio()) {
    ASSERT_THAT(tape_->devices, SizeIs(1));
    EXPECT_EQ(tape_->devices.front().device, "mic2");
  }
}

TEST_P(LiveMicrophone, StopsInTimeWhereTheDaemonIsDead) {
  begin();
  daemon_->kill();
  EXPECT_TRUE(wait_for_fault());
  end();
}

TEST_P(LiveMicrophone, StopsInTimeWhereTheDaemonHangs) {
  begin();
  daemon_->freeze();
  EXPECT_TRUE(wait_for_fault());
  end();
}

TEST_P(LiveMicrophone, SaysInTimeThatTheDaemonHangs) {
  daemon_->freeze();
  const auto start = std::chrono::steady_clock::now();
  try {
    source_->open();
    FAIL() << "it opened";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::timed_out);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
}

TEST_P(LiveMicrophone, SaysWhichDevicesThereAreWhereTheWantedOneIsNot) {
  auto wrong = make_microphone(GetParam(), "blue yeti", std::make_shared<SystemClock>());
  try {
    wrong->open();
    FAIL() << "it opened";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::input_not_found);
    EXPECT_THAT(error.what(), HasSubstr("mic"));
  }
}

TEST_P(LiveMicrophone, ListsItsDevices) {
  const auto devices = list_devices(GetParam());
  const auto& mic = resolve_device(devices, "mic");
  EXPECT_EQ(mic.sample_rate, 48000);
  EXPECT_EQ(mic.channels, 1);
  EXPECT_EQ(mic.id, is_portaudio() ? "portaudio:ALSA:mic" : "pulse:mic");
}

INSTANTIATE_TEST_SUITE_P(Backends, LiveMicrophone, ::testing::Values("pulse", "portaudio"),
                         [](const auto& backend) { return std::string(backend.param); });

class LivePulse : public ::testing::Test {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    daemon_.emplace();
  }

  std::optional<dictum::test::VirtualMicrophone> daemon_;
};

/// What a source of PulseAudio reports while something is done to the server.
class LiveReports : public LivePulse {
 protected:
  void open(const std::string& device = "") {
    source_ = make_microphone("pulse", device, std::make_shared<SystemClock>());
    tape_.emplace(*source_);
    tape_->open();
  }

  /// Waits for the next fault; empty where there is none within a second.
  std::string next_fault() {
    const bool found = tape_->read_until([&] { return tape_->faults.size() > seen_; }, 1s);
    return found ? tape_->faults[seen_++].fault.message : std::string();
  }

  std::unique_ptr<AudioSource> source_;
  std::optional<test::Tape> tape_;
  std::size_t seen_ = 0;
};

TEST_F(LiveReports, ReportThatTheSourceIsMutedAndUnmuted) {
  open();
  daemon_->pactl({"set-source-mute", "mic", "1"});
  EXPECT_THAT(next_fault(), HasSubstr("\"mic\" is muted"));
  daemon_->pactl({"set-source-mute", "mic", "0"});
  EXPECT_THAT(next_fault(), HasSubstr("no longer muted"));
  EXPECT_THAT(tape_->gaps, IsEmpty());
}

TEST_F(LiveReports, ReportASourceThatIsMutedFromTheStart) {
  daemon_->pactl({"set-source-mute", "mic", "1"});
  open("mic");
  EXPECT_THAT(next_fault(), HasSubstr("pactl set-source-mute mic 0"));
  EXPECT_TRUE(resolve_device(list_devices("pulse"), "mic").is_muted);
}

TEST_F(LiveReports, ReportASourceWhoseVolumeIsZero) {
  open();
  daemon_->pactl({"set-source-volume", "mic", "0"});
  EXPECT_THAT(next_fault(), HasSubstr("volume of the input device \"mic\" is 0"));
  daemon_->pactl({"set-source-volume", "mic", "50%"});
  EXPECT_THAT(next_fault(), HasSubstr("no longer muted"));
}

TEST_F(LiveReports, ReportThatTheRecordingItselfIsMuted) {
  open();
  const std::string outputs = daemon_->pactl({"list", "short", "source-outputs"});
  // Ours is the last one: the module that makes the microphone has the other.
  const auto line = outputs.rfind('\n', outputs.size() - 2);
  const std::string index =
      outputs.substr(line == std::string::npos ? 0 : line + 1, outputs.find('\t', line) - line - 1);
  daemon_->pactl({"set-source-output-mute", index, "1"});
  EXPECT_THAT(next_fault(), HasSubstr("muted this recording of \"mic\""));
}

TEST_F(LiveReports, ReportDigitalSilence) {
  open();
  ASSERT_TRUE(tape_->read_until([&] { return !tape_->faults.empty(); }, 5s));
  EXPECT_EQ(tape_->faults.front().fault.code, "input_silent");
  EXPECT_NEAR(tape_->faults.front().at, 3, 0.5);
}

// The microphone is still there, so it is not reported as gone, and is recorded again.
TEST_F(LiveReports, ReportADefaultThatIsAMonitorAsSuchAndContinueWithTheMicrophone) {
  open();
  tape_->read_for(300ms);
  daemon_->pactl({"set-default-source", "spk.monitor"});
  const std::string fault = next_fault();
  EXPECT_THAT(fault, HasSubstr("moved the recording from \"mic\" to \"spk.monitor\""));
  EXPECT_THAT(fault, Not(HasSubstr("gone")));
  const Frame before = tape_->captured;
  EXPECT_TRUE(tape_->read_until([&] { return tape_->captured > before + 48'000; }, 5s));
  EXPECT_THAT(tape_->devices, IsEmpty());
  tape_->finish();
  EXPECT_NEAR(tape_->behind(), 0, kTolerance);
}

TEST_F(LivePulse, ReportsTheMissingServerToWhoLetsTheBackendBeChosen) {
  daemon_->kill();
  const auto message = [](auto call) -> std::string {
    try {
      call();
    } catch (const RecorderError& error) {
      return error.what();
    }
    return "no error";
  };
  const auto open = [] { make_microphone("auto", "", std::make_shared<SystemClock>())->open(); };
  EXPECT_THAT(message(open), HasSubstr("No sound server can be reached (PULSE_SERVER=unix:"));
}

TEST_F(LivePulse, RecordsADeviceOfSevenChannelsAtAnOddRate) {
  daemon_->load("seven", 11025, 7);
  auto source = make_microphone("pulse", "seven", std::make_shared<SystemClock>());
  EXPECT_EQ(source->open(), (AudioFormat{11025, 7}));
}

TEST_F(LivePulse, SaysWhichDevicesANameMatches) {
  daemon_->load("desk.left");
  daemon_->load("desk.right");
  auto source = make_microphone("pulse", "desk", std::make_shared<SystemClock>());
  try {
    source->open();
    FAIL() << "it opened";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::device_ambiguous);
    EXPECT_THAT(error.what(), HasSubstr("pulse:desk.left"));
    EXPECT_THAT(error.what(), HasSubstr("pulse:desk.right"));
  }
}

TEST_F(LivePulse, SaysThatAServerHasNoMicrophone) {
  daemon_->unload();
  auto source = make_microphone("pulse", "", std::make_shared<SystemClock>());
  try {
    source->open();
    FAIL() << "it opened";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::input_not_found);
    EXPECT_THAT(error.what(), HasSubstr("No microphone was found"));
  }
}

TEST_F(LivePulse, SaysThatASuspendedDeviceGivesNothing) {
  daemon_->suspend(true);
  auto source = make_microphone("pulse", "", std::make_shared<SystemClock>());
  EXPECT_THROW(source->open(), RecorderError);
}

TEST_F(LivePulse, DistinguishesMonitorsFromMicrophones) {
  const auto devices = list_devices("pulse");
  EXPECT_TRUE(resolve_device(devices, "spk.monitor").is_monitor);
  EXPECT_FALSE(resolve_device(devices, "mic").is_monitor);
  EXPECT_TRUE(resolve_device(devices, "mic").is_default);
}

TEST_F(LivePulse, SaysAtOnceThatNoServerAnswers) {
  daemon_->kill();
  const auto start = std::chrono::steady_clock::now();
  try {
    make_microphone("pulse", "", std::make_shared<SystemClock>())->open();
    FAIL() << "it opened";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::device_lost);
    EXPECT_THAT(error.what(), HasSubstr("No sound server"));
  }
  EXPECT_THROW(list_devices("pulse"), RecorderError);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST_F(LivePulse, ListsInTimeWhereTheDaemonHangs) {
  daemon_->freeze();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(list_devices("auto"), RecorderError);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

}  // namespace
}  // namespace dictum::capture
