#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "dictum/analysis.hpp"
#include "live/live_recording.hpp"
#include "support/sounds.hpp"
#include "support/test_data.hpp"
#include "support/virtual_microphone.hpp"

/// What is played into a microphone is found in it as it is found in the file.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

constexpr int kRate = 48000;
constexpr double kTwoWindows = 2 * 0.032;
constexpr double kShort = 12;  // seconds of a recording that are enough where time is short

struct Span {
  double start;
  double end;
};

class LiveFidelity : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    const auto data = test::test_data(std::string("audio/") + name() + ".wav");
    if (!data) GTEST_SKIP() << "test data not found: audio/" << name() << ".wav";
    test::Sound sound = test::read_sound(*data);
    if (!test::is_soak() && sound.seconds() > kShort) {
      sound.samples.resize(static_cast<std::size_t>(kShort * sound.sample_rate));
    }
    file_ = folder_ / "original.wav";
    test::write_wav(file_, sound);
    const test::Sound at_48_kHz = test::resampled(sound, kRate);
    test::write_wav(folder_ / "played.wav", at_48_kHz);
    for (const float sample : test::read_sound(folder_ / "played.wav").samples) {
      played_.push_back(static_cast<std::int16_t>(std::lround(sample * 32768)));
    }
    record();
  }

  const char* name() const { return std::get<1>(GetParam()); }

  void record() {
    daemon_.emplace();
    live_.emplace(std::get<0>(GetParam()));
    live_->start();
    ASSERT_TRUE(live_->wait_for<AudioLevel>(live_->received().opened, 5s));
    daemon_->play(folder_ / "played.wav");
    ASSERT_TRUE(daemon_->wait_until_played(60s));
    ASSERT_TRUE(live_->wait_for_sound(false, 5s));
    live_->stop();
    const auto& received = live_->received().timeline;
    // From the loudest sample on, so that it cannot be confounded with silence.
    const auto loudest = std::ranges::max_element(played_) - played_.begin();
    const auto excerpt = std::span(played_).subspan(static_cast<std::size_t>(loudest)).first(1000);
    const auto found = std::ranges::search(received, excerpt).begin();
    ASSERT_NE(found, received.end()) << "what was played was not recorded";
    offset_ = found - received.begin() - loudest;
  }

  test::TemporaryDirectory folder_;
  std::filesystem::path file_;
  std::vector<std::int16_t> played_;
  std::optional<test::VirtualMicrophone> daemon_;
  std::optional<test::LiveRecording> live_;
  Frame offset_ = 0;  // of the played file on the timeline
};

// In one test, since playing takes as long as it takes.
TEST_P(LiveFidelity, FindsTheSegmentsOfTheFileAndLosesNothing) {
  const auto& received = live_->received();
  EXPECT_THAT(received.gaps, IsEmpty());
  EXPECT_THAT(live_->differences(), IsEmpty());
  ASSERT_LE(static_cast<std::size_t>(offset_) + played_.size(), received.timeline.size());
  EXPECT_TRUE(std::ranges::equal(
      std::span(received.timeline).subspan(static_cast<std::size_t>(offset_), played_.size()), played_))
      << "something was lost on the way";

  RecorderConfig of_file;
  of_file.capture.input = file_;
  const Analysis analysis = analyze_file(of_file);
  std::vector<Span> expected;
  for (const auto& segment : analysis.segments) {
    if (!segment.kept) continue;
    expected.push_back({static_cast<double>(segment.speech_start_frame) / analysis.sample_rate,
                        static_cast<double>(segment.speech_end_frame) / analysis.sample_rate});
  }
  std::vector<Span> found;
  std::vector<Span> kept;
  for (const auto& segment : live_->manifest().segments) {
    if (!segment.is_kept()) continue;
    const auto at = [&](Frame frame) { return static_cast<double>(frame - offset_) / kRate; };
    found.push_back({at(segment.speech_start_frame), at(segment.speech_end_frame)});
    kept.push_back({at(segment.start_frame), at(segment.end_frame)});
  }
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i].start, expected[i].start, kTwoWindows) << "segment " << i;
    const bool cut_by_the_end = expected[i].end > static_cast<double>(analysis.frames) / analysis.sample_rate - 0.5;
    if (!cut_by_the_end) {
      EXPECT_NEAR(found[i].end, expected[i].end, kTwoWindows) << "segment " << i;
    }
  }

  const double end = static_cast<double>(played_.size()) / kRate;
  std::vector<Span> speech = expected;
  if (const auto labels = test::test_data(std::string("audio/") + name() + ".rttm")) {
    std::ifstream lines(*labels);
    for (std::string line, skipped; std::getline(lines, line);) {
      std::istringstream words(line);
      double start = 0;
      double duration = 0;
      words >> skipped >> skipped >> skipped >> start >> duration;
      if (start < end) speech.push_back({start, std::min(start + duration, end)});
    }
  }
  for (const Span& region : speech) {
    EXPECT_TRUE(std::ranges::any_of(
        kept, [&](const Span& span) { return span.start <= region.start && region.end <= span.end; }))
        << "the speech from " << region.start << " s to " << region.end << " s is in no segment";
  }
}

INSTANTIATE_TEST_SUITE_P(Recordings, LiveFidelity,
                         testing::Combine(testing::Values("pulse", "portaudio"),
                                          testing::Values("jfk", "conversation")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" + std::get<1>(test.param);
                         });

}  // namespace
}  // namespace dictum
