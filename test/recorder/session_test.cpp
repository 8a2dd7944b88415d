#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "recorder/session_in_virtual_time.hpp"
#include "recorder/stuck_parts.hpp"
#include "session/recovery.hpp"
#include "support/event_grammar.hpp"

namespace dictum::recorder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(SessionInVirtualTime, RecordsUntilItIsStoppedAndEnds) {
  record_for(5s);
  stop();
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
  EXPECT_THAT(test::grammar_violations(session->path()), IsEmpty());
  EXPECT_THAT(host->states, ElementsAre(RecordingState::starting, RecordingState::recording, RecordingState::stopping,
                                        RecordingState::idle));
}

/// Counts how often it is asked for audio.
class CountedSource final : public AudioSource {
 public:
  CountedSource(std::unique_ptr<AudioSource> inner, std::shared_ptr<int> readings)
      : inner_(std::move(inner)), readings_(std::move(readings)) {}
  AudioFormat open() override { return inner_->open(); }
  Reading read(std::span<float> interleaved) override {
    const Reading reading = inner_->read(interleaved);
    if (reading.frames == 0) ++*readings_;  // it waits after each of these
    return reading;
  }
  void close() noexcept override { inner_->close(); }
  std::chrono::milliseconds pace() const override { return inner_->pace(); }
  std::chrono::milliseconds quiet_pace() const override { return 160ms; }
  std::string description() const override { return inner_->description(); }

 private:
  const std::unique_ptr<AudioSource> inner_;
  const std::shared_ptr<int> readings_;
};

TEST_F(SessionInVirtualTime, ReadsTheSourceRarelyWhileNobodySpeaks) {
  const Script script({{.text = "a line", .speech_sec = 10, .pause_sec = 11}}, 0.1);
  const auto readings = std::make_shared<int>(0);
  config.detector = script.detector();
  config.custom_transcriber = script.transcriber();
  config.source = [source = script.source(time), readings] {
    return std::make_unique<CountedSource>(source(), readings);
  };
  record_for(10s);
  EXPECT_GE(std::exchange(*readings, 0), 450);
  time->advance(1s);
  *readings = 0;
  time->advance(8s);
  EXPECT_EQ(*readings, 50);
}

TEST_F(SessionInVirtualTime, UnmutesFromThenOnThoughTheSourceIsReadRarely) {
  const Script script({{.text = "a line", .speech_sec = 3, .pause_sec = 4}}, 0.1);
  const auto readings = std::make_shared<int>(0);
  config.detector = script.detector();
  config.source = [source = script.source(time), readings] {
    return std::make_unique<CountedSource>(source(), readings);
  };
  const auto began = time->steady_now();
  record_for(0s);
  session->change(*change_of(SetMuted{true}));
  time->advance(1590ms);  // between two readings
  const auto unmuted = std::chrono::duration<double>(time->steady_now() - began).count();
  session->change(*change_of(SetMuted{false}));
  time->advance(3s);
  const auto spoken = received_bodies<SpeechEnded>();
  ASSERT_THAT(spoken, SizeIs(1));
  constexpr double kPreRoll = 0.5;
  constexpr double kWindow = 0.032;
  EXPECT_GE(static_cast<double>(spoken[0].start_frame) / 16000, unmuted - kPreRoll - kWindow);
}

TEST_F(SessionInVirtualTime, DeliversAnEventOnlyOnceItsJournalLineIsWritten) {
  record_for(1s);
  const auto before = received().size();
  disk->hangs = true;
  time->advance(1s);
  EXPECT_EQ(received().size(), before) << "delivered before it was written";
  release(*disk);
  EXPECT_GT(received().size(), before);
}

TEST_F(SessionInVirtualTime, ASyncThatTakesItsTimeDelaysNoEventAndNoAudio) {
  record_for(1s);
  sync->hangs = true;
  const auto before = received_bodies<TranscriptionComplete>().size();
  time->advance(10s);
  EXPECT_EQ(received_bodies<TranscriptionComplete>().size(), before + 10);
  EXPECT_LE(sync->waiting.size(), 1U) << "syncs pile up";
  stop();
  const auto took = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms) << "the files are complete, if not known to be safe";
  EXPECT_EQ(received().back().sequence.has_value(), true);
  EXPECT_THAT(test::grammar_violations(session->path()), IsEmpty());
}

TEST_F(SessionInVirtualTime, StopsWithinItsBoundThoughTheDiskHangs) {
  record_for(3s);
  disk->hangs = true;
  time->advance(500ms);
  stop();
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms);
  EXPECT_EQ(host->replaced, 1);
  EXPECT_THAT(received_bodies<RecordingStateChanged>().back().state, RecordingState::failed);
  const auto faults = received_bodies<RecorderFault>();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(faults.front().message, HasSubstr("may be missing"));
}

TEST_F(SessionInVirtualTime, ABrokenInvariantEndsItWithItsAudioSafe) {
  record_for(3s);
  const EventError broken{to_string(Errc::internal), "Dictum has broken a rule of its own: nothing is lost."};
  session->end_broken(broken);
  session->end_broken(broken);
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
  const auto faults = received_bodies<RecorderFault>();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults.front().message, broken.message);
  EXPECT_FALSE(faults.front().recoverable);
  EXPECT_THAT(test::grammar_violations(session->path()), IsEmpty());
}

TEST_F(SessionInVirtualTime, AnEventThatIsNotInTheJournalIsDeliveredWithoutASequence) {
  record_for(3s);
  disk->hangs = true;
  stop();
  ASSERT_TRUE(time_until([&] { return session->lifecycle().is_closed(); }));
  std::size_t from_memory = 0;
  for (const Event& event : received()) {
    if (event.is_ephemeral()) continue;
    if (!event.sequence) ++from_memory;
    if (event.sequence) EXPECT_EQ(from_memory, 0U) << "a sequence behind an event that has none";
  }
  EXPECT_GE(from_memory, 3U) << "stopping, the fault, failed";
}

TEST_F(SessionInVirtualTime, ASecondStopEndsOneThatTheDiskHoldsUp) {
  record_for(3s);
  disk->hangs = true;
  stop();
  time->advance(200ms);
  EXPECT_FALSE(session->lifecycle().is_closed());
  stop(0ms);
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 500ms);
}

TEST_F(SessionInVirtualTime, AStopIsBoundedThoughTheFilesCannotBeCompleted) {
  record_for(3s);
  host->on_idle = [this] { disk->hangs = true; };
  stop();
  time->advance(1s);
  ASSERT_EQ(state(), SessionState::completing);
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 500ms);
  const auto ending = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(ending);
  EXPECT_LE(*ending, 2s);
  EXPECT_THAT(received_bodies<RecorderFault>().back().message, HasSubstr("not known to be safe"));
}

TEST_F(SessionInVirtualTime, ADiskThatIsLateWithTheFilesStillTakesTheLastEvents) {
  record_for(3s);
  host->on_idle = [this] { disk->hangs = true; };
  stop();
  ASSERT_TRUE(time->run_until([&] { return session->lifecycle().is_closed(); }, 2s));
  time->advance(500ms);
  release(*disk);
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
  for (const Event& event : received()) {
    const bool is_fault = std::holds_alternative<RecorderFault>(event.body);  // which is delivered at once, and again
    EXPECT_TRUE(event.sequence || event.is_ephemeral() || is_fault) << event.to_json();
  }
  EXPECT_THAT(test::grammar_violations(session->path()), IsEmpty());
}

TEST_F(SessionInVirtualTime, AStopIsBoundedThoughTheFilesCannotBeClosed) {
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  record_for(3s);
  stop();
  time->advance(1s);
  ASSERT_EQ(state(), SessionState::draining);
  disk->hangs = true;
  session->shut_down();
  const auto took = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms);
}

TEST_F(SessionInVirtualTime, AStopAfterTheEndOfTheInputIsBoundedToo) {
  record_for(1s);
  host->on_idle = [this] { disk->hangs = true; };
  time->advance(10min);
  ASSERT_EQ(state(), SessionState::completing) << "nothing has asked it to give up";
  stop();
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms);
}

TEST_F(SessionInVirtualTime, WaitsForTextsAsLongAsTheStopSaysAndThenReportsThem) {
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  record_for(3s);
  stop(20s);
  const auto took = time_until([&] { return session->lifecycle().is_stopped(); });
  EXPECT_EQ(took, 20s);
  EXPECT_THAT(received_bodies<RecorderFault>().back().message, HasSubstr("still to be transcribed"));
  session->shut_down();
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
}

/// No worker of it can be started.
class NoWorker final : public transcription::JobRunner {
 public:
  void submit(std::shared_ptr<transcription::JobSource> source, std::uint32_t /*segment*/,
              transcription::Priority /*priority*/) override {
    source_ = std::move(source);
  }
  void preview(TranscriptionJob /*growing*/) override {}
  void end_preview(std::uint32_t /*segment*/) override {}
  void abandon() override { source_.reset(); }
  void report() const { source_->has_no_worker({"transcriber_missing", "No worker could be started."}); }
  std::filesystem::path sound_of(std::uint32_t segment) const { return source_->job(segment)->wav_path; }

 private:
  std::shared_ptr<transcription::JobSource> source_;
};

TEST_F(SessionInVirtualTime, DoesNotWaitForTextsWhileNoWorkerCanBeStarted) {
  const auto no_worker = std::make_shared<NoWorker>();
  runner = no_worker;
  record_for(3s);
  no_worker->report();
  EXPECT_EQ(state(), SessionState::recording);
  EXPECT_TRUE(session->has_no_worker());
  stop(60s);
  time->advance(2s);
  EXPECT_FALSE(session->lifecycle().is_stopped());
  no_worker->report();
  EXPECT_TRUE(session->lifecycle().is_stopped());
  time->advance(0s);
  const auto faults = received_bodies<RecorderFault>();
  ASSERT_THAT(faults, SizeIs(2)) << "it is reported once, and what is left";
  EXPECT_THAT(faults[0].message, HasSubstr("Segments wait for their texts"));
  EXPECT_THAT(faults[1].message, HasSubstr("still to be transcribed"));
  EXPECT_TRUE(session->has_pending_texts());
}

TEST_F(SessionInVirtualTime, FindsTheSoundOfLaterTextsWhereItsFolderIsMovedAfterCaptureHasEnded) {
  const auto no_worker = std::make_shared<NoWorker>();
  runner = no_worker;
  record_for(3s);
  stop(60s);
  time->advance(2s);
  const std::filesystem::path former = session->path();
  const std::filesystem::path there = former.parent_path() / "elsewhere";
  std::filesystem::rename(former, there);
  no_worker->report();  // an event of it is the next that is written
  time->advance(0s);
  EXPECT_EQ(no_worker->sound_of(0), there / "seg_0000.wav");
  EXPECT_THAT(host->moves, testing::ElementsAre(std::pair(former, there)));
}

TEST_F(SessionInVirtualTime, AResumedOneEndsWithItsDrainAndLeavesTheRestUnfinished) {
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  record_for(3s);
  stop(1s);
  ASSERT_TRUE(time_until([&] { return session->lifecycle().is_stopped(); }));
  const auto path = session->path();
  session->shut_down();
  ASSERT_TRUE(time_until([&] { return state() == SessionState::ended; }));
  time->advance(0s);

  session = std::make_shared<Session>(host, io.get_executor(), TimeSource{time, time}, Session::Visibility::published);
  asio::co_spawn(io, session->resume(path, Redo::nothing, time->steady_now() + 5s),
                 [](const std::exception_ptr& thrown) {
                   if (thrown) std::rethrow_exception(thrown);
                 });
  EXPECT_EQ(time_until([&] { return state() == SessionState::ended; }), 5s);
  time->advance(0s);
  EXPECT_THAT(received_bodies<RecorderFault>().back().message, HasSubstr("still to be transcribed"));
  EXPECT_THAT(session::find_unfinished(root / "sessions"), SizeIs(1));
}

TEST_F(SessionInVirtualTime, PausesAndResumes) {
  record_for(2s);
  std::optional<std::exception_ptr> paused;
  asio::co_spawn(io, session->pause_capture(), [&](std::exception_ptr thrown) { paused = thrown; });
  time->advance(0ms);
  ASSERT_EQ(paused, std::exception_ptr());
  EXPECT_EQ(state(), SessionState::paused);
  std::optional<std::exception_ptr> resumed;
  asio::co_spawn(io, session->resume_capture(), [&](std::exception_ptr thrown) { resumed = thrown; });
  time->advance(0ms);
  EXPECT_EQ(resumed, std::exception_ptr());
  EXPECT_EQ(state(), SessionState::recording);
  stop();
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
}

TEST_F(SessionInVirtualTime, APauseThatIsNotAnsweredFailsAfterTenSecondsAndTheRecordingIsAsItWas) {
  record_for(2s);
  disk->hangs = true;
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(io, session->pause_capture(), [&](std::exception_ptr thrown) { ended = thrown; });
  const auto took = time_until([&] { return ended.has_value(); });
  ASSERT_TRUE(took);
  EXPECT_EQ(*took, 10s);
  EXPECT_TRUE(*ended);
  EXPECT_EQ(state(), SessionState::recording);
}

TEST_F(SessionInVirtualTime, AStartThatIsCancelledWhileTheDiskHangsFailsAfterASecond) {
  disk->hangs = true;
  start();
  time->advance(100ms);
  ASSERT_EQ(state(), SessionState::starting);
  session->cancel();
  const auto took = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1s);
  EXPECT_FALSE(session->has_recorded());
  release(*disk);
  EXPECT_FALSE(std::filesystem::exists(root / "sessions")) << "the disk answered late";
}

}  // namespace
}  // namespace dictum::recorder
