// When a recogniser may begin: what a pause in an open segment reports.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/segmentation_pipeline.hpp"

namespace dictum::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Frame kWindowFrames = static_cast<Frame>(kVADWindow);

/// Speech where the script says 'x', window by window.
class WindowScript final : public VoiceActivityDetector {
 public:
  explicit WindowScript(std::string windows) : windows_(std::move(windows)) {}
  float probability(std::span<const float, kVADWindow> /*window*/) override {
    return next_ < windows_.size() && windows_[next_++] == 'x' ? 0.9F : 0.0F;
  }
  void reset() override {}
  std::string_view name() const override { return "script"; }

 private:
  const std::string windows_;
  std::size_t next_ = 0;
};

class SpeechPauses : public testing::Test {
 protected:
  /// What a stream of `windows` reports, in blocks of so many frames.
  std::vector<StreamItem> process(const std::string& windows, std::size_t block = 1600, int rate = kVADSampleRate) {
    RecorderConfig config;
    SegmentationPipeline pipeline(config, {.sample_rate = rate, .channels = 1},
                                  std::make_unique<WindowScript>(windows));
    const std::size_t frames = windows.size() * kVADWindow * static_cast<std::size_t>(rate) / kVADSampleRate;
    const std::vector<float> samples(frames, 0.1F);
    std::vector<StreamItem> items;
    for (std::size_t at = 0; at < frames; at += block)
      pipeline.process(std::span(samples).subspan(at, std::min(block, frames - at)), items);
    pipeline.flush(vad::CloseReason::stop, items);
    return items;
  }

  template <class Wanted>
  static std::vector<Wanted> all(const std::vector<StreamItem>& items) {
    std::vector<Wanted> found;
    for (const StreamItem& item : items) {
      if (const auto* wanted = std::get_if<Wanted>(&item)) found.push_back(*wanted);
    }
    return found;
  }

  static std::string speech(std::size_t windows) { return std::string(windows, 'x'); }
  static std::string silence(std::size_t windows) { return std::string(windows, '.'); }
};

TEST_F(SpeechPauses, AreReportedEightWindowsAfterTheSpeech) {
  const auto items = process(silence(20) + speech(20) + silence(7));
  EXPECT_THAT(all<SpeechPaused>(items), IsEmpty());
  const auto paused = all<SpeechPaused>(process(silence(20) + speech(20) + silence(8)));
  ASSERT_EQ(paused.size(), 1);
  EXPECT_EQ(paused[0].kept_start, 20 * kWindowFrames - 8000);
  EXPECT_EQ(paused[0].audio_end, 48 * kWindowFrames);
}

TEST_F(SpeechPauses, AreReportedOnceForEachSilence) {
  const auto items = process(silence(20) + speech(20) + silence(12) + speech(5) + silence(40));
  const auto paused = all<SpeechPaused>(items);
  ASSERT_EQ(paused.size(), 2);
  EXPECT_EQ(paused[0].index, 0);
  EXPECT_EQ(paused[1].audio_end, (20 + 20 + 12 + 5 + 8) * kWindowFrames);
  EXPECT_EQ(all<SpeechResumed>(items).size(), 1);
}

TEST_F(SpeechPauses, ReportAudioThatHasBeenSentBefore) {
  Frame sent = 0;
  for (const StreamItem& item : process(silence(20) + speech(20) + silence(40), 160)) {
    if (const auto* audio = std::get_if<SegmentAudio>(&item)) sent += static_cast<Frame>(audio->samples.size());
    if (const auto* paused = std::get_if<SpeechPaused>(&item)) {
      EXPECT_GE(sent, paused->audio_end - paused->kept_start);
    }
  }
  EXPECT_GT(sent, 0);
}

TEST_F(SpeechPauses, GiveTheAudioThatTheEndedSegmentHas) {
  const auto items = process(silence(20) + speech(20) + silence(40));
  const auto paused = all<SpeechPaused>(items);
  const auto closed = all<vad::SegmentClosed>(items);
  ASSERT_EQ(paused.size(), 1);
  ASSERT_EQ(closed.size(), 1);
  EXPECT_EQ(paused[0].kept_start, closed[0].kept_start);
  EXPECT_EQ(paused[0].audio_end, vad::recognised_end(closed[0].speech_end, kVADSampleRate));
  EXPECT_LE(paused[0].audio_end, closed[0].kept_end);
}

TEST_F(SpeechPauses, AreTheSameWhateverTheBlocks) {
  for (const int rate : {16000, 44100, 48000}) {
    const auto frames_of = [&](std::size_t block) {
      std::vector<Frame> ends;
      const auto items = process(silence(20) + speech(20) + silence(12) + speech(5) + silence(40), block, rate);
      for (const auto& paused : all<SpeechPaused>(items)) ends.push_back(paused.audio_end);
      return ends;
    };
    const auto expected = frames_of(100);
    EXPECT_EQ(expected.size(), 2);
    EXPECT_EQ(frames_of(4800), expected);
    EXPECT_EQ(frames_of(1'000'000), expected);
  }
}

TEST(SegmentationPipeline, KnowsTheLoudestSampleOfTheRecording) {
  RecorderConfig config;
  SegmentationPipeline pipeline(config, {.sample_rate = kVADSampleRate, .channels = 1},
                                std::make_unique<WindowScript>(""));
  EXPECT_EQ(pipeline.peak_dbfs(), -120);
  std::vector<StreamItem> items;
  pipeline.process(std::vector<float>{0.001F, -0.1F, 0.01F}, items);
  EXPECT_NEAR(pipeline.peak_dbfs(), -20, 0.01);
}

using SegmentationPipelineTest = SpeechPauses;

TEST_F(SegmentationPipelineTest, EndsASegmentWhereAGapBeginsThatIsTooLongForSilenceInIt) {
  for (const auto& [gap, reason] :
       {std::pair{Frame{3200}, vad::CloseReason::stop}, {Frame{12800}, vad::CloseReason::gap}}) {
    SCOPED_TRACE(gap);
    SegmentationPipeline pipeline({}, {.sample_rate = kVADSampleRate, .channels = 1},
                                  std::make_unique<WindowScript>(silence(20) + speech(40)));
    const std::vector<float> samples(40 * kVADWindow, 0.1F);
    std::vector<StreamItem> items;
    pipeline.process(samples, items);
    const Frame before = pipeline.now();
    pipeline.insert_gap(gap, GapReason::stalled, items);
    pipeline.flush(vad::CloseReason::stop, items);
    EXPECT_EQ(pipeline.now(), before + gap);
    EXPECT_EQ(pipeline.captured(), before);
    const auto closed = all<vad::SegmentClosed>(items);
    ASSERT_EQ(closed.size(), 1);
    EXPECT_EQ(closed[0].reason, reason);
    if (reason == vad::CloseReason::gap) {
      EXPECT_EQ(closed[0].kept_end, before);
    } else {
      EXPECT_GT(closed[0].kept_end, before) << "a short gap is silence in the segment";
    }
  }
}

TEST_F(SegmentationPipelineTest, SendsSilenceInPlaceOfTheAudioWhileItIsMuted) {
  SegmentationPipeline pipeline({}, {.sample_rate = kVADSampleRate, .channels = 1},
                                std::make_unique<WindowScript>(silence(20) + speech(40)));
  const std::vector<float> samples(30 * kVADWindow, 0.1F);
  std::vector<StreamItem> items;
  pipeline.process(samples, items);
  const auto loud = [&items] {
    std::ptrdiff_t count = 0;
    for (const auto& audio : all<SegmentAudio>(items)) {
      count += std::ranges::count_if(audio.samples, [](std::int16_t sample) { return sample != 0; });
    }
    return count;
  };
  const auto before = loud();
  pipeline.set_muted(true);
  pipeline.process(samples, items);
  EXPECT_GT(before, 0);
  EXPECT_EQ(loud(), before);
}

}  // namespace
}  // namespace dictum::pipeline
