#include "recorder/text_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dictum::recorder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using transcription::JobSource;
using transcription::Priority;

constexpr int kRate = 1000;

/// What a runner was given; the test asks for jobs and answers them, also when the runner is gone.
struct Received {
  bool throws = false;
  std::vector<std::string> calls;
  std::vector<std::shared_ptr<JobSource>> sources;
};

class RecordingRunner final : public transcription::JobRunner {
 public:
  explicit RecordingRunner(Received& into) : into_(into) {}

  void submit(std::shared_ptr<JobSource> source, std::uint32_t segment, Priority priority) override {
    called((priority == Priority::live ? "submit " : "submit behind ") + std::to_string(segment));
    into_.sources.push_back(std::move(source));
  }
  void begin_early(std::shared_ptr<JobSource> source, std::uint32_t segment) override {
    called("begin_early " + std::to_string(segment));
    into_.sources.push_back(std::move(source));
  }
  void cancel_early(std::uint32_t segment) override { called("cancel_early " + std::to_string(segment)); }
  void warm_up() override { called("warm_up"); }
  void audio_time(Frame frame) override {
    called("time " + (frame == kEndOfAudio ? std::string("end") : std::to_string(frame)));
  }
  void preview(TranscriptionJob growing) override {
    called("preview " + growing.wav_path.string() + " " + std::to_string(growing.start_frame) + "-" +
           std::to_string(growing.end_frame));
  }
  void end_preview(std::uint32_t segment) override { called("end_preview " + std::to_string(segment)); }
  void abandon() override { called("abandon"); }

 private:
  void called(std::string call) {
    into_.calls.push_back(std::move(call));
    if (into_.throws) throw std::runtime_error("out of order");
  }

  Received& into_;
};

class TextStageTest : public testing::Test {
 protected:
  TextStage make_stage(bool owns_runner = true, Priority priority = Priority::live) {
    SessionRunner used = owns_runner ? SessionRunner(std::make_unique<RecordingRunner>(runner)) : SessionRunner(pool);
    return TextStage(std::move(used), {.priority = priority, .sample_rate = kRate},
                     {.job =
                          [](std::uint32_t segment) {
                            TranscriptionJob job;
                            job.segment_index = segment;
                            return std::optional(job);
                          },
                      .interim =
                          [](std::uint32_t segment, Frame start_frame, Frame end_frame) {
                            TranscriptionJob job;
                            job.wav_path = "/session/seg_000" + std::to_string(segment) + ".wav";
                            job.start_frame = start_frame;
                            job.end_frame = end_frame;
                            return job;
                          },
                      .done = [this](std::uint32_t segment,
                                     TranscriptionOutcome outcome) { done.emplace_back(segment, std::move(outcome)); },
                      .failed = [this](const EventError& error) { faults.push_back(error.message); }});
  }

  static pipeline::StreamItem opened(std::uint32_t index, Frame start) {
    return vad::SegmentOpened{.index = index, .speech_start = start, .kept_start = start};
  }
  static pipeline::StreamItem closed(std::uint32_t index) { return vad::SegmentClosed{.index = index}; }
  static pipeline::StreamItem progress(Frame now) { return pipeline::Progress{.now = now, .captured = now}; }

  Received runner;
  RecordingRunner pool{runner};
  std::vector<std::pair<std::uint32_t, TranscriptionOutcome>> done;
  std::vector<std::string> faults;
};

TEST_F(TextStageTest, SubmitsEachSegmentAtOnceInTheOrderOfTheCalls) {
  TextStage stage = make_stage();
  for (const std::uint32_t segment : {3U, 1U, 7U}) stage.submit(segment);
  EXPECT_THAT(runner.calls, ElementsAre("submit 3", "submit 1", "submit 7"));
}

TEST_F(TextStageTest, SubmitsWithThePriorityOfItsSession) {
  TextStage stage = make_stage(true, Priority::background);
  stage.submit(3);
  EXPECT_THAT(runner.calls, ElementsAre("submit behind 3"));
}

TEST_F(TextStageTest, GivesTheRunnerTheJobWhenItAsks) {
  TextStage stage = make_stage();
  stage.submit(5);
  const auto job = runner.sources.at(0)->job(5);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->segment_index, 5U);
}

TEST_F(TextStageTest, GivesTheRunnerNoJobOnceItIsAbandonedOrGone) {
  {
    TextStage stage = make_stage();
    stage.submit(5);
    stage.abandon();
    EXPECT_FALSE(runner.sources.at(0)->job(5));
  }
  {
    TextStage stage = make_stage();
    stage.submit(6);
  }
  EXPECT_FALSE(runner.sources.at(1)->job(6));
}

TEST_F(TextStageTest, PassesAnAnswerOnWithItsSegmentAlsoAfterItsEnd) {
  {
    TextStage stage = make_stage();
    stage.submit(5);
    stage.submit(6);
  }
  runner.sources.at(1)->transcribed(
      6, {.text = "later", .error = {}, .words = {}, .phrases = {}, .no_speech_probability = {}, .suspect = false});
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].first, 6U);
  EXPECT_EQ(done[0].second.text, "later");
}

TEST_F(TextStageTest, MakesAFailedTextOfEachExceptionAndReportsTheFirst) {
  TextStage stage = make_stage();
  runner.throws = true;
  stage.submit(0);
  stage.submit(1);
  ASSERT_THAT(done, SizeIs(2));
  for (const auto& [segment, outcome] : done) {
    ASSERT_TRUE(outcome.error) << segment;
    EXPECT_THAT(outcome.error->message, HasSubstr("out of order"));
  }
  EXPECT_THAT(faults, SizeIs(1));
}

TEST_F(TextStageTest, AnEarlyJobThatThrowsIsReportedAndFailsNoText) {
  TextStage stage = make_stage();
  runner.throws = true;
  stage.begin_early(4);
  stage.cancel_early(4);
  stage.warm_up();
  EXPECT_THAT(runner.calls, ElementsAre("begin_early 4", "cancel_early 4", "warm_up"));
  EXPECT_THAT(faults, SizeIs(1));
  EXPECT_THAT(done, IsEmpty());
}

TEST_F(TextStageTest, AsksForInterimTextOfTheSegmentThatGrows) {
  TextStage stage = make_stage();
  stage.process(opened(2, 500));
  stage.process(progress(1000));
  stage.process(progress(1500));
  EXPECT_THAT(runner.calls, ElementsAre("time 1000", "preview /session/seg_0002.wav 500-1500", "time 1500"));
}

TEST_F(TextStageTest, AsksForNoInterimTextOfASegmentThatHasEnded) {
  TextStage stage = make_stage();
  stage.process(opened(2, 500));
  stage.process(closed(2));
  stage.process(progress(5000));
  EXPECT_THAT(runner.calls, ElementsAre("end_preview 2", "time 5000"));
}

TEST_F(TextStageTest, AnExceptionOfTheClockIsReportedOnceAndTheStageGoesOn) {
  TextStage stage = make_stage();
  runner.throws = true;
  stage.process(progress(10));
  stage.process(progress(20));
  stage.end_of_audio();
  EXPECT_THAT(runner.calls, ElementsAre("time 10", "time 20", "time end"));
  EXPECT_THAT(faults, SizeIs(1));
  EXPECT_THAT(done, IsEmpty());
}

TEST_F(TextStageTest, AbandonsTheRunnerThatItOwnsOnceThoughThatThrows) {
  {
    TextStage stage = make_stage();
    runner.throws = true;
    stage.abandon();
    stage.abandon();
    EXPECT_TRUE(stage.is_abandoned());
  }
  EXPECT_THAT(runner.calls, ElementsAre("abandon"));
}

TEST_F(TextStageTest, AbandonsItsRunnerWhenItIsDestroyed) {
  {
    const TextStage stage = make_stage();
  }
  EXPECT_THAT(runner.calls, ElementsAre("abandon"));
}

TEST_F(TextStageTest, LeavesThePoolOfTheRecorderRunning) {
  {
    TextStage stage = make_stage(false);
    stage.abandon();
  }
  EXPECT_THAT(runner.calls, IsEmpty());
}

TEST_F(TextStageTest, AsksNothingOfTheRunnerOnceItIsAbandoned) {
  for (const bool owns_runner : {true, false}) {
    SCOPED_TRACE(owns_runner);
    TextStage stage = make_stage(owns_runner);
    stage.submit(0);
    stage.process(opened(1, 0));
    stage.abandon();
    runner.calls.clear();
    stage.submit(2);
    stage.begin_early(2);
    stage.cancel_early(2);
    stage.warm_up();
    stage.process(progress(5000));
    stage.process(closed(1));
    stage.end_of_audio();
    EXPECT_THAT(runner.calls, IsEmpty());
  }
}

TEST_F(TextStageTest, DoesNothingWithoutARunner) {
  TextStage stage({}, {.priority = Priority::live, .sample_rate = kRate}, {});
  stage.submit(0);
  stage.begin_early(0);
  stage.process(progress(5000));
  stage.end_of_audio();
  stage.abandon();
  EXPECT_TRUE(stage.is_abandoned());
}

}  // namespace
}  // namespace dictum::recorder
