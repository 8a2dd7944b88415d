#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>

#include "dictum/error.hpp"
#include "faulty_recording.hpp"
#include "journal/layout.hpp"
#include "support/event_grammar.hpp"

namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

/// A small disk of its own as the session root, which nobody else sees.
class FullDisk : public test::FaultyRecording {
 protected:
  static constexpr int kSize = 5 << 20;
  static constexpr int kRoom = 144 << 10;  // what the filler leaves; the journal keeps 64 KiB of it
  static constexpr int kSpoken = 6;        // seconds

  void SetUp() override {
    std::filesystem::create_directory(root());
    if (!mount_disk()) GTEST_SKIP() << "no file system can be mounted here";
    const std::string second = test::contents(beeps(1)).substr(44);
    for (int i = 0; i < kSpoken; ++i) spoken += second;
    auto whole = recording_stream();
    whole.input = spoken;
    wanted = undisturbed(whole);
    const auto room = static_cast<std::size_t>(std::filesystem::space(root()).available);
    std::ofstream(root() / "filler") << std::string(room - kRoom, 'x');
  }

  void TearDown() override { ::umount2(root().c_str(), MNT_DETACH); }

  void make_space() const { std::filesystem::remove(root() / "filler"); }

  /// All but the last second is spoken at once.
  test::ProgramSettings speaking() const {
    auto settings = recording_stream();
    settings.input = spoken.substr(0, spoken.size() - 2 * kRate);
    settings.keeps_input_open = true;
    return settings;
  }

  static double seconds_to_report(const std::vector<Event>& events) {
    double begin = 0;
    for (const Event& event : events) {
      if (begin == 0 && std::holds_alternative<SpeechDetected>(event.body)) begin = event.timestamp;
      const auto* fault = std::get_if<RecorderFault>(&event.body);
      if (fault != nullptr && fault->code == to_string(Errc::disk_full)) return event.timestamp - begin;
    }
    ADD_FAILURE() << "the full disk was not reported";
    return 0;
  }

  std::string spoken;
  test::Segments wanted;

 private:
  bool mount_disk() const {
    if (::unshare(CLONE_NEWNS) != 0) return false;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    return ::mount("none", root().c_str(), "tmpfs", 0, ("size=" + std::to_string(kSize)).c_str()) == 0;
  }
};

TEST_F(FullDisk, IsReportedWithinASecondAndLosesNothingWhereSpaceIsMade) {
  test::RunningProgram program(speaking());
  program.wait_for_output("disk_full");
  make_space();
  program.feed(std::string_view(spoken).substr(spoken.size() - 2 * kRate));
  program.end_input();
  const auto result = program.wait();
  EXPECT_EQ(result.exit_code, 1);
  const auto events = test::events(result.out);
  EXPECT_LT(seconds_to_report(events), 1);
  EXPECT_EQ(test::stated_loss(events), 0);
  EXPECT_EQ(lost_frames(session(), wanted, spoken), 0);
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(FullDisk, GivesAnExactGapWhereTheRecordingEndsBeforeSpaceIsMade) {
  auto settings = speaking();
  settings.input = spoken;
  settings.keeps_input_open = false;
  const auto result = test::run_program(settings);
  EXPECT_EQ(result.exit_code, 1);
  const auto journal = test::parsed(test::contents(session() / "events.jsonl"));
  EXPECT_EQ(test::stated_loss(journal), test::stated_loss(test::parsed(result.out))) << "its lines fit all the same";
  make_space();
  EXPECT_EQ(test::run_program(resuming()).exit_code, 0);
  const Frame lost = lost_frames(session(), wanted, spoken);
  EXPECT_GT(lost, 0);
  EXPECT_EQ(test::stated_loss(test::parsed(result.out)), lost);
  EXPECT_THAT(test::grammar_violations(session()), IsEmpty());
}

TEST_F(FullDisk, IsReportedByAStartThatFails) {
  std::ofstream(root() / "filler", std::ios::app) << std::string(kSize, 'x');
  const auto result = test::run_program(recording_file());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("free some space"));
  EXPECT_THAT(sessions(), IsEmpty());
}

}  // namespace
}  // namespace dictum
