#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "capture/portaudio_stream.hpp"
#include "live/live_recording.hpp"
#include "support/test_data.hpp"
#include "support/virtual_microphone.hpp"

/// What happens to a microphone in the middle of speech: reported within a second, recorded around, stopped in time.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::IsEmpty;
using testing::Not;

constexpr double kTolerance = 0.020;

struct Outage {
  const char* name;
  void (*begin)(test::VirtualMicrophone&);
  void (*end)(test::VirtualMicrophone&, const std::filesystem::path& speech);
  std::vector<GapReason> reasons;
};

const Outage kOutages[] = {
    {"DaemonKilledAndRestarted",
     [](auto& daemon) { daemon.kill(); },
     [](auto& daemon, const auto& speech) {
       daemon.restart();
       daemon.play(speech);
     },
     {GapReason::device_lost}},
    {"DaemonStoppedAndContinued",
     [](auto& daemon) { daemon.freeze(); },
     [](auto& daemon, const auto&) { daemon.thaw(); },
     {GapReason::stalled}},
    {"SourceSuspended",
     [](auto& daemon) { daemon.suspend(true); },
     [](auto& daemon, const auto&) { daemon.suspend(false); },
     {GapReason::suspended, GapReason::stalled}},
    {"SourceUnloadedAndReplaced",
     [](auto& daemon) { daemon.unload(); },
     [](auto& daemon, const auto&) { daemon.load("mic2", 44100, 2); },
     {GapReason::device_lost}},
};

void PrintTo(const Outage& outage, std::ostream* out) {
  *out << outage.name;
}

class LiveOutage : public testing::TestWithParam<std::tuple<const char*, Outage>> {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    if (is_portaudio() && !capture::has_portaudio()) GTEST_SKIP() << "built without PortAudio";
    const auto speech = test::test_data("audio/radio.wav");
    if (!speech) GTEST_SKIP() << "test data not found: audio/radio.wav";
    speech_ = *speech;
    daemon_.emplace();
    live_.emplace(std::get<0>(GetParam()));
  }

  bool is_portaudio() const { return std::string(std::get<0>(GetParam())) == "portaudio"; }
  const Outage& outage() const { return std::get<1>(GetParam()); }

  /// ALSA's plugin moves to another source without a report, so that PortAudio has nothing to report.
  bool is_silent_move() const { return is_portaudio() && std::string(outage().name) == "SourceUnloadedAndReplaced"; }

  /// Records until speech is detected, and then lets the outage begin.
  void speak_and_break() {
    live_->start();
    daemon_->play(speech_);
    const auto speaks = live_->wait_for<SpeechDetected>(live_->received().opened, 5s);
    ASSERT_TRUE(speaks);
    ASSERT_TRUE(live_->wait_for([&](const auto& entry) { return entry.event.frame > speaks->event.frame + 48000; },
                                speaks->at, 5s));
    begun_ = std::chrono::steady_clock::now();
    outage().begin(*daemon_);
  }

  void expect_a_report() {
    if (is_silent_move()) return;
    const auto entry = live_->wait_for(
        [](const auto& event) {
          return std::holds_alternative<RecorderFault>(event.event.body) ||
                 std::holds_alternative<DeviceChanged>(event.event.body);
        },
        begun_, 5s);
    ASSERT_TRUE(entry) << "nothing was reported";
    EXPECT_LT(test::seconds(entry->at - begun_), 1);
  }

  void expect_all_on_the_timeline() const {
    EXPECT_NEAR(live_->received().behind, 0, kTolerance);
    EXPECT_THAT(live_->differences(), IsEmpty());
  }

  /// Whether a segment holds this much of the timeline with sound in it.
  bool has_sound_in_a_segment(Frame from, Frame to) const {
    const auto& timeline = live_->received().timeline;
    return std::ranges::any_of(live_->manifest().segments, [&](const session::Segment& segment) {
      if (!segment.is_kept()) return false;
      const auto first = timeline.begin() + std::max(from, segment.start_frame);
      const auto last = timeline.begin() + std::min(to, segment.end_frame);
      return first < last && std::any_of(first, last, [](std::int16_t sample) { return std::abs(sample) > 1000; });
    });
  }

  std::filesystem::path speech_;
  std::optional<test::VirtualMicrophone> daemon_;
  std::optional<test::LiveRecording> live_;
  test::TimePoint begun_;
};

TEST_P(LiveOutage, IsReportedWithinASecondAndTheRecordingContinues) {
  speak_and_break();
  expect_a_report();
  const auto over = begun_ + (test::is_soak() ? 5000ms : 700ms);
  std::this_thread::sleep_until(over);  // the outage lasts so long, reported or not
  outage().end(*daemon_, speech_);
  const auto mended = std::chrono::steady_clock::now();
  ASSERT_TRUE(live_->wait_for(
      [](const auto& entry) {
        const auto* level = std::get_if<AudioLevel>(&entry.event.body);
        return level != nullptr && level->speech_probability > 0.5;
      },
      mended + 300ms, 8s))
      << "no speech is detected any more";
  std::this_thread::sleep_for(300ms);  // the speech continues for a while
  EXPECT_LT(live_->stop(), 2s);
  expect_all_on_the_timeline();

  const auto& received = live_->received();
  const auto outage_at = static_cast<Frame>(test::seconds(begun_ - received.opened) * received.format.sample_rate);
  const auto mended_at = static_cast<Frame>(test::seconds(mended - received.opened) * received.format.sample_rate);
  EXPECT_TRUE(has_sound_in_a_segment(outage_at - received.format.sample_rate / 2, outage_at));
  EXPECT_TRUE(has_sound_in_a_segment(mended_at, static_cast<Frame>(received.timeline.size())));
  if (is_silent_move()) return;
  for (const auto& gap : received.gaps) {
    EXPECT_THAT(outage().reasons, testing::Contains(gap.reason)) << to_string(gap.reason);
  }
}

TEST_P(LiveOutage, LetsTheRecordingStopWithinTwoSeconds) {
  speak_and_break();
  expect_a_report();
  EXPECT_LT(live_->stop(), 2s);
  expect_all_on_the_timeline();
  const auto& received = live_->received();
  const auto outage_at = static_cast<Frame>(test::seconds(begun_ - received.opened) * received.format.sample_rate);
  EXPECT_TRUE(has_sound_in_a_segment(outage_at - received.format.sample_rate / 2, outage_at));
}

INSTANTIATE_TEST_SUITE_P(Backends, LiveOutage,
                         testing::Combine(testing::Values("pulse", "portaudio"), testing::ValuesIn(kOutages)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" + std::get<1>(test.param).name;
                         });

}  // namespace
}  // namespace dictum
