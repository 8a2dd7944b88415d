#include "live/noise_recording.hpp"

/// What the recorder cannot process at once is kept, and what cannot be kept is reported, to the frame.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

using BlockedPipeline = test::NoiseRecording;

TEST_F(BlockedPipeline, LosesNothingWithinThreeSeconds) {
  play_noise(5s);
  pause_->store(3s);
  finish();
  EXPECT_THAT(live_->received().gaps, IsEmpty());
  EXPECT_EQ(wrong_samples(), 0);
}

TEST_F(BlockedPipeline, ReportsToTheFrameWhatItLostInALongerTime) {
  const auto blocked = test::is_soak() ? 20s : 14s;
  play_noise(blocked + 2s);
  pause_->store(blocked);
  finish();
  ASSERT_THAT(live_->received().gaps, SizeIs(1));
  const session::Gap gap = live_->received().gaps.front();
  EXPECT_EQ(gap.reason, GapReason::overflow);
  const double ring = test::seconds(blocked) - static_cast<double>(gap.frames) / test::kNoiseRate;
  EXPECT_GE(ring, 10);
  EXPECT_EQ(wrong_samples(), 0) << "the noise after the gap is not where the gap says";
  EXPECT_THAT(live_->all<AudioGap>(), testing::ElementsAre(AudioGap{gap.start_frame, gap.frames, gap.reason}));
}

}  // namespace
}  // namespace dictum
