#include "live/microphone_program.hpp"

/// Devices that cannot be recorded: one clear line, and nothing left behind.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RefusedDevice : public test::MicrophoneProgram {
 protected:
  void expect_refused(std::vector<std::string> arguments, const testing::Matcher<const std::string&>& message) const {
    const auto result = test::run_program(record(std::move(arguments)), 10s);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_THAT(result.err, testing::StartsWith("dictum: "));
    EXPECT_THAT(result.err, message);
    EXPECT_THAT(sessions(), IsEmpty());
  }
};

TEST_F(RefusedDevice, ThereIsNoSoundServer) {
  daemon->kill();
  expect_refused({"--backend", "pulse"}, HasSubstr("No sound server"));
}

TEST_F(RefusedDevice, TheSoundServerStandsStill) {
  daemon->freeze();
  expect_refused({}, HasSubstr("may be hung"));
}

TEST_F(RefusedDevice, ThereIsNoMicrophone) {
  daemon->unload();
  expect_refused({}, HasSubstr("No microphone was found"));
}

TEST_F(RefusedDevice, NoneHasThatName) {
  expect_refused({"--device", "blue yeti"}, AllOf(HasSubstr("blue yeti"), HasSubstr("pulse:mic")));
}

TEST_F(RefusedDevice, TheNameFitsTwo) {
  daemon->load("desk.left");
  daemon->load("desk.right");
  expect_refused({"--device", "desk"}, AllOf(HasSubstr("pulse:desk.left"), HasSubstr("pulse:desk.right")));
}

TEST_F(RefusedDevice, ItIsBusy) {  // a server suspends what another program has taken
  daemon->suspend(true);
  expect_refused({"--device", "mic"}, HasSubstr("suspended"));
}

TEST_F(RefusedDevice, ItHasNoSuchChannel) {
  daemon->load("seven", 11025, 7);
  expect_refused({"--device", "seven", "--channel", "7"}, HasSubstr("7"));
}

TEST_F(RefusedDevice, NothingIsThereForPortAudioEither) {
  daemon->kill();
  const auto result = test::run_program(record({"--backend", "portaudio"}), 10s);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(RefusedDevice, PortAudioHasNoneOfThatName) {
  expect_refused({"--backend", "portaudio", "--device", "blue yeti"}, HasSubstr("blue yeti"));
}

}  // namespace
}  // namespace dictum
