#include "recorder/recorder_core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "base/invariant.hpp"
#include "dictum/error.hpp"
#include "recorder/revised_notes.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kRate = 16000;

/// Drives a core and sorts what it asks for.
class Core : public testing::Test {
 protected:
  Core() { core.start(actions); }

  static RecorderCore::Settings settings() {
    return {.session = "20261122_000000",
            .session_path = "/sessions/20261122_000000",
            .sample_rate = kRate,
            .transcribes = true,
            .mode = VADMode::normal,
            .min_silence_ms = 800,
            .long_note_silence_ms = 5000};
  }

  /// A segment of one second of speech that begins at `second`.
  void say(std::uint32_t index, int second, bool kept = true) {
    const Frame start = second * kRate;
    core.process(vad::SegmentOpened{index, start, start - 100}, actions);
    core.process(vad::SegmentClosed{index, start - 100, start + kRate + 100, start, start + kRate, kept,
                                    vad::CloseReason::silence},
                 actions);
  }

  void close(Frame gaps = 0) {
    core.process(pipeline::Closed{.now = 100 * kRate, .captured = 100 * kRate - gaps}, actions);
  }

  void answer(std::uint32_t index, const std::string& text) {
    TranscriptionOutcome outcome;
    outcome.text = text;
    core.transcribed(index, outcome, actions);
  }

  void answer_in(const std::string& language, std::uint32_t index, const std::string& text, bool suspect = false) {
    TranscriptionOutcome outcome;
    outcome.text = text;
    outcome.suspect = suspect;
    outcome.language = language;
    core.transcribed(index, outcome, actions);
  }

  void fail(std::uint32_t index) {
    TranscriptionOutcome outcome;
    outcome.error = EventError{"worker_died", "It died."};
    core.transcribed(index, outcome, actions);
  }

  template <class Wanted>
  std::vector<Wanted> all() const {
    std::vector<Wanted> found;
    for (const Action& action : actions) {
      if (const auto* wanted = std::get_if<Wanted>(&action)) found.push_back(*wanted);
    }
    return found;
  }

  template <class Body>
  std::vector<Body> reported() const {
    std::vector<Body> found;
    for (const auto& emit : all<Emit>()) {
      if (const auto* body = std::get_if<Body>(&emit.event.body)) found.push_back(*body);
    }
    return found;
  }

  std::vector<Event> journal() const {
    std::vector<Event> events;
    for (const auto& emit : all<Emit>()) {
      if (!emit.event.is_ephemeral()) events.push_back(emit.event);
    }
    return events;
  }

  ManualClock clock{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)};
  RecorderCore core{settings(), clock};
  RecorderCore::Actions actions;
};

TEST_F(Core, AKeptSegmentIsReportedQueuedAndTranscribedOnce) {
  say(0, 1);
  EXPECT_EQ(reported<SpeechEnded>().size(), 1U);
  EXPECT_EQ(reported<TranscriptionQueued>().size(), 1U);
  EXPECT_EQ(all<Transcribe>().size(), 1U);
}

TEST_F(Core, ASegmentOfWhichTheDiskHasNothingIsNotCalledTooShort) {
  core.process(vad::SegmentOpened{.index = 0, .speech_start = 100, .kept_start = 0}, actions);
  core.process(vad::SegmentClosed{.index = 0,
                                  .kept_start = 0,
                                  .kept_end = 0,
                                  .speech_start = 100,
                                  .speech_end = 100,
                                  .kept = false,
                                  .reason = {}},
               actions);
  ASSERT_EQ(reported<SpeechEnded>().size(), 1U);
  EXPECT_EQ(reported<SpeechEnded>()[0].discard_reason, DiscardReason::no_audio);
}

TEST_F(Core, ASegmentThatIsNotKeptIsReportedAndNotTranscribed) {
  say(0, 1, false);
  ASSERT_EQ(reported<SpeechEnded>().size(), 1U);
  EXPECT_EQ(reported<SpeechEnded>()[0].discard_reason, DiscardReason::too_short);
  EXPECT_THAT(reported<TranscriptionQueued>(), IsEmpty());
  EXPECT_THAT(all<Transcribe>(), IsEmpty());
}

TEST_F(Core, ATextThatComesTwiceIsReportedOnce) {
  say(0, 1);
  answer(0, "once");
  answer(0, "twice");
  EXPECT_EQ(reported<TranscriptionComplete>().size(), 1U);
}

TEST_F(Core, ATextForASegmentThatNobodyAskedForIsIgnored) {
  answer(7, "what");
  EXPECT_THAT(reported<TranscriptionComplete>(), IsEmpty());
}

TEST_F(Core, EphemeralEventsHaveNoSequence) {
  say(0, 1);
  core.partial(settings().session, 0, "so far", 3, actions);
  EXPECT_THAT(reported<TranscriptionPartial>(), ElementsAre(TranscriptionPartial{0, "so far", 3}));
  EXPECT_FALSE(all<Emit>().back().event.sequence);
}

TEST_F(Core, APartialTextOfAnotherSessionIsNotReported) {
  say(0, 1);
  core.partial("20261121_235900", 0, "what the session before still transcribes", 0, actions);
  EXPECT_THAT(reported<TranscriptionPartial>(), IsEmpty());
}

TEST_F(Core, APartialTextIsReportedWhileItsSegmentIsSpokenOrWaitsForItsText) {
  const auto partials_after = [&](std::uint32_t segment) {
    core.partial(settings().session, segment, "so far", 0, actions);
    return reported<TranscriptionPartial>().size();
  };
  EXPECT_EQ(partials_after(0), 0U) << "not begun";
  core.process(vad::SegmentOpened{0, kRate, kRate - 100}, actions);
  EXPECT_EQ(partials_after(0), 1U) << "being spoken";
  EXPECT_EQ(partials_after(1), 1U) << "another one is";
  core.process(vad::SegmentClosed{0, kRate - 100, 2 * kRate + 100, kRate, 2 * kRate, true, vad::CloseReason::silence},
               actions);
  EXPECT_EQ(partials_after(0), 2U) << "waits for its text";
  answer(0, "the whole");
  EXPECT_EQ(partials_after(0), 2U) << "has its text";
  say(1, 3, false);
  EXPECT_EQ(partials_after(1), 2U) << "was not kept";
}

TEST_F(Core, WorkersAreNotReportedAfterIdle) {
  close();
  core.worker_changed({"pocketsphinx-0", WorkerState::stopped, "idle"}, actions);
  EXPECT_THAT(reported<WorkerStatus>(), IsEmpty());
}

TEST_F(Core, AFailedRecordingReportsNeitherWorkersNorTheSegmentThatWasSpoken) {
  core.process(vad::SegmentOpened{0, kRate, kRate - 100}, actions);
  core.process(pipeline::Closed{.failure = EventError{"device_lost", "The microphone was unplugged."}}, actions);
  ASSERT_EQ(core.state(), RecordingState::failed);
  core.worker_changed({"pocketsphinx-0", WorkerState::stopped, "idle"}, actions);
  core.partial(settings().session, 0, "so far", 0, actions);
  EXPECT_THAT(reported<WorkerStatus>(), IsEmpty());
  EXPECT_THAT(reported<TranscriptionPartial>(), IsEmpty());
}

TEST_F(Core, ATextIsPendingUntilItsAnswerComesAlsoAfterTheEnd) {
  say(0, 1);
  EXPECT_EQ(core.pending(), 1U);
  close();
  EXPECT_EQ(core.pending(), 1U);
  fail(0);
  EXPECT_EQ(core.pending(), 0U);
}

TEST_F(Core, TwoTextsThatAgreeDecideTheLanguageOfTheSessionOnce) {
  for (std::uint32_t i = 0; i < 4; ++i) say(i, static_cast<int>(2 * i));
  answer_in("en", 0, "one");
  EXPECT_EQ(core.job(1).value().language, "");
  answer_in("en", 1, "two");
  answer_in("en", 2, "three");
  EXPECT_THAT(reported<TranscriptionLanguageChosen>(), ElementsAre(TranscriptionLanguageChosen{"en"}));
  EXPECT_EQ(core.job(3).value().language, "en");
}

TEST_F(Core, WhatCannotBeTrustedDecidesNoLanguage) {
  for (std::uint32_t i = 0; i < 4; ++i) say(i, static_cast<int>(2 * i));
  answer_in("ja", 0, "doubtful", true);
  answer_in("ja", 1, "");
  fail(2);
  answer_in("ja", 3, "ichi");
  EXPECT_THAT(reported<TranscriptionLanguageChosen>(), IsEmpty());
}

TEST_F(Core, ATextInAnotherLanguageThanTheSessionsIsAskedForAgain) {
  for (std::uint32_t i = 0; i < 4; ++i) say(i, static_cast<int>(2 * i));
  answer_in("ja", 0, "ichi");
  answer_in("en", 1, "two");
  answer_in("en", 2, "three");  // decides, so the first is asked for again
  answer_in("hi", 3, "char");   // was under way by then: its text is not reported
  EXPECT_EQ(all<Transcribe>().size(), 6U);
  answer_in("en", 0, "one");
  answer_in("en", 3, "four");
  const auto texts = reported<TranscriptionComplete>();
  ASSERT_EQ(texts.size(), 5U);
  EXPECT_EQ(texts[3].text, "one");
  EXPECT_EQ(texts[3].revision, 1);
  EXPECT_EQ(texts[4].text, "four");
  EXPECT_EQ(texts[4].revision, 0);
  close();
  EXPECT_EQ(core.pending(), 0U);
}

TEST_F(Core, AnEngineThatKeepsToItsLanguageIsAskedOnceMoreAndNotForEver) {
  for (std::uint32_t i = 0; i < 3; ++i) say(i, static_cast<int>(2 * i));
  answer_in("en", 0, "one");
  answer_in("en", 1, "two");
  answer_in("fr", 2, "trois");
  answer_in("fr", 2, "trois");
  EXPECT_EQ(reported<TranscriptionComplete>().back().text, "trois");
  close();
  EXPECT_EQ(core.pending(), 0U);
}

TEST_F(Core, TheLanguageAndTheTextsAreTheSameInWhicheverOrderTheAnswersCome) {
  for (std::uint32_t i = 0; i < 3; ++i) say(i, static_cast<int>(2 * i));
  answer_in("de", 2, "drei");
  answer_in("en", 1, "two");
  EXPECT_THAT(reported<TranscriptionComplete>(), IsEmpty());
  answer_in("en", 0, "one");
  answer_in("en", 2, "three");
  std::vector<std::string> texts;
  for (const auto& complete : reported<TranscriptionComplete>()) texts.push_back(complete.text);
  EXPECT_THAT(texts, ElementsAre("one", "two", "three"));
  close();
  EXPECT_EQ(core.pending(), 0U);
}

TEST_F(Core, AnEngineThatNamesNoLanguageIsHeldUpByNothing) {
  say(0, 1);
  say(1, 3);
  answer(1, "second");
  EXPECT_EQ(reported<TranscriptionComplete>().size(), 1U);
}

TEST_F(Core, AResumedSessionKeepsTheLanguageThatWasDecided) {
  for (std::uint32_t i = 0; i < 3; ++i) say(i, static_cast<int>(2 * i));
  answer_in("en", 0, "one");
  answer_in("en", 1, "two");
  close();
  const auto recorded = journal();
  RecorderCore resumed(settings(), clock);
  actions.clear();
  resumed.resume(recorded, Redo::nothing, actions);
  EXPECT_EQ(resumed.job(2).value().language, "en");
}

TEST_F(Core, AConfiguredLanguageIsThatOfEveryJob) {
  say(0, 1);
  close();
  auto german = settings();
  german.language = "de";
  RecorderCore other(german, clock);
  other.resume(journal(), Redo::nothing, actions);
  EXPECT_EQ(other.job(0).value().language, "de");
}

TEST_F(Core, AVocabularyHoldsForTheJobsThatComeAfterIt) {
  say(0, 1);
  EXPECT_THAT(core.job(0).value().vocabulary, IsEmpty());
  core.set_vocabulary({"Kovacs"}, actions);
  EXPECT_THAT(core.job(0).value().vocabulary, ElementsAre("Kovacs"));
}

TEST_F(Core, AnInterimJobHasTheVocabularyAndTheLanguageOfTheMoment) {
  core.set_vocabulary({"Kovacs"}, actions);
  for (std::uint32_t i = 0; i < 3; ++i) say(i, static_cast<int>(2 * i));
  answer_in("en", 0, "one");
  EXPECT_EQ(core.interim_job(3, 80000, 96000).language, "");
  answer_in("en", 1, "two");
  const TranscriptionJob job = core.interim_job(3, 80000, 96000);
  EXPECT_EQ(job.segment_index, 3U);
  EXPECT_EQ(job.start_frame, 80000);
  EXPECT_EQ(job.end_frame, 96000);
  EXPECT_EQ(job.wav_path, core.job(2).value().wav_path.parent_path() / "seg_0003.wav");
  EXPECT_EQ(job.language, "en");
  EXPECT_THAT(job.vocabulary, ElementsAre("Kovacs"));
  EXPECT_THAT(job.phrases, IsEmpty());
}

TEST_F(Core, AFixedCorrectionIsReportedWithTheText) {
  auto correcting = settings();
  correcting.replacements = {{"cube control", "kubectl"}};
  RecorderCore other(correcting, clock);
  other.start(actions);
  other.process(vad::SegmentOpened{0, kRate, kRate}, actions);
  other.process(vad::SegmentClosed{0, kRate, 2 * kRate, kRate, 2 * kRate, true, vad::CloseReason::silence}, actions);
  TranscriptionOutcome outcome;
  outcome.text = "Run cube control.";
  other.transcribed(0, outcome, actions);
  const auto complete = reported<TranscriptionComplete>().back();
  EXPECT_EQ(complete.text, "Run kubectl.");
  EXPECT_THAT(complete.replacements, ElementsAre(Replacement{"cube control", "kubectl"}));
}

TEST_F(Core, ARetryIsANewRevisionAndQueuedNoSecondTime) {
  say(0, 1);
  fail(0);
  core.retry_failed(actions);
  answer(0, "now");
  EXPECT_EQ(reported<TranscriptionQueued>().size(), 1U);
  EXPECT_EQ(reported<TranscriptionComplete>().back().revision, 1);
  EXPECT_TRUE(reported<TranscriptionComplete>().back().success);
}

TEST_F(Core, ARetryLeavesAloneWhatHasItsText) {
  say(0, 1);
  answer(0, "fine");
  core.retry_failed(actions);
  EXPECT_EQ(all<Transcribe>().size(), 1U);
}

TEST_F(Core, TheAgeOfTheQueueIsThatOfASegmentThatIsAskedForAgainTooInFrontOfOthers) {
  say(0, 1);
  say(1, 4);
  fail(0);
  answer(1, "one");
  core.retry_failed(actions);
  clock.advance(3s);
  say(2, 7);
  EXPECT_EQ(reported<QueueStatus>().back().queued_jobs, 2U);
  EXPECT_EQ(reported<QueueStatus>().back().oldest_sec, 3);
}

TEST_F(Core, AModeChangesTheDetectorsSilenceAndIsReported) {
  core.set_mode(VADMode::long_note, actions);
  EXPECT_EQ(all<SetMinSilence>().back().ms, 5000);
  EXPECT_EQ(reported<VADModeChanged>().back().min_silence_ms, 5000);
}

TEST_F(Core, ATranscriptNeverTouchesTheDetector) {
  say(0, 1);
  answer(0, "start a new note");
  EXPECT_THAT(all<SetMinSilence>(), IsEmpty());
}

TEST_F(Core, TheSpokenStopEndsTheCapture) {
  say(0, 1);
  answer(0, "stop recording");
  EXPECT_EQ(all<StopCapture>().size(), 1U);
}

TEST_F(Core, ANoteGoesOnOverAPause) {
  say(0, 1);
  answer(0, "start a new note shopping list");
  say(1, 4);
  answer(1, "bread");
  core.process(pipeline::Paused{.now = 6 * kRate}, actions);
  core.process(pipeline::GapEnded{6 * kRate, 60 * kRate, GapReason::paused}, actions);
  core.process(pipeline::Resumed{.now = 66 * kRate}, actions);
  say(2, 67);
  answer(2, "butter");
  close(60 * kRate);
  ASSERT_EQ(reported<NoteCompleted>().size(), 1U);
  EXPECT_EQ(reported<NoteCompleted>().front().text, "bread butter");
}

TEST_F(Core, ANoteEventStandsWhereItsWordsEndedHoweverLateTheirTextCame) {
  say(0, 1);
  core.process(pipeline::Progress{.now = 50 * kRate, .captured = 50 * kRate}, actions);
  answer(0, "start a new note");
  const auto events = journal();
  EXPECT_EQ(events.back().frame, 2 * kRate + 100);
}

TEST_F(Core, PendingSegmentsAreReportedByNumber) {
  say(0, 1);
  say(1, 4);
  answer(0, "one");
  core.report_pending(actions);
  EXPECT_THAT(reported<RecorderFault>().back().message, testing::HasSubstr("1 segment is still to be transcribed (1)"));
}

TEST_F(Core, RefusesASegmentThatEndsTwice) {
  say(0, 1);
  const vad::SegmentClosed again{0, kRate, 2 * kRate, kRate, 2 * kRate, true, vad::CloseReason::silence};
  EXPECT_THAT([&] { core.process(again, actions); },
              testing::ThrowsMessage<BrokenInvariant>(testing::HasSubstr("a segment ends once, and after it began")));
}

TEST_F(Core, RefusesASegmentBeforeTheOneThatIsNext) {
  say(0, 1);
  EXPECT_THROW(core.process(vad::SegmentOpened{2, 4 * kRate, 4 * kRate}, actions), BrokenInvariant);
}

TEST_F(Core, EndsAllTheSameWhereTheFramesDoNotAddUp) {
  const pipeline::Closed end{.now = 2 * kRate, .captured = kRate, .drift_ppm = 0, .failure = {}};
  EXPECT_THROW(core.process(end, actions), BrokenInvariant);
  EXPECT_EQ(core.state(), RecordingState::idle);
  EXPECT_EQ(reported<RecordingStateChanged>().back().state, RecordingState::idle);
}

TEST_F(Core, SpeechThatStartsHasTheModelLoaded) {
  core.process(vad::SegmentOpened{0, kRate, kRate - 100}, actions);
  EXPECT_EQ(all<WarmUp>().size(), 1U);
}

TEST_F(Core, ARecogniserGetsWhatEnds256MillisecondsAfterTheSpeech) {
  core.process(vad::SegmentOpened{0, kRate, kRate / 2}, actions);
  core.process(vad::SegmentClosed{0, kRate / 2, 2 * kRate + 8000, kRate, 2 * kRate, true, vad::CloseReason::silence},
               actions);
  EXPECT_EQ(core.job(0).value().start_frame, kRate / 2);
  EXPECT_EQ(core.job(0).value().end_frame, 2 * kRate + 8000);
  EXPECT_EQ(core.job(0).value().audio_end_frame, 2 * kRate + 4096);
}

TEST_F(Core, ARecogniserGetsNoMoreThanWhatIsKept) {
  say(0, 1);
  EXPECT_EQ(core.job(0).value().audio_end_frame, 2 * kRate + 100);
}

TEST_F(Core, NoJobIsLeftOfASegmentThatHasItsText) {
  say(0, 1);
  answer(0, "one");
  EXPECT_FALSE(core.job(0));
  EXPECT_FALSE(core.job(1));
}

TEST_F(Core, AResumedSessionGivesARecogniserTheSameAudio) {
  say(0, 1);
  core.process(vad::SegmentOpened{1, 4 * kRate, 3 * kRate}, actions);
  core.process(vad::SegmentClosed{1, 3 * kRate, 6 * kRate, 4 * kRate, 5 * kRate, true, vad::CloseReason::silence},
               actions);
  RecorderCore resumed(settings(), clock);
  RecorderCore::Actions asked;
  resumed.resume(journal(), Redo::nothing, asked);
  for (const std::uint32_t segment : {0U, 1U}) {
    EXPECT_EQ(resumed.job(segment).value().audio_end_frame, core.job(segment).value().audio_end_frame);
  }
}

// Texts that are begun before the end of their segment is certain.

class EagerCore : public Core {
 protected:
  static constexpr Frame kStart = kRate;
  static constexpr Frame kKeptStart = kRate / 2;
  static constexpr Frame kSpeechEnd = 3 * kRate;
  static constexpr Frame kAudioEnd = kSpeechEnd + 4096;

  void open(std::uint32_t index = 0) { core.process(vad::SegmentOpened{index, kStart, kKeptStart}, actions); }
  void pause(std::uint32_t index = 0, Frame audio_end = kAudioEnd) {
    core.process(pipeline::SpeechPaused{index, kKeptStart, audio_end}, actions);
  }
  void end(std::uint32_t index = 0, bool kept = true, Frame kept_end = kSpeechEnd + 8000) {
    core.process(vad::SegmentClosed{index, kKeptStart, kept_end, kStart, kSpeechEnd, kept, vad::CloseReason::silence},
                 actions);
  }
  std::size_t begun() const { return all<BeginEarly>().size(); }
  std::size_t cancelled() const { return all<CancelEarly>().size(); }

  void answer_after(std::uint32_t index, std::chrono::duration<double> time) {
    TranscriptionOutcome outcome;
    outcome.processing_time = time;
    core.transcribed(index, outcome, actions);
  }
};

TEST_F(EagerCore, HasTheSameJobBeforeAndAfterTheEndOfTheSegment) {
  open();
  pause();
  ASSERT_EQ(begun(), 1U);
  const TranscriptionJob early = core.job(0).value();
  EXPECT_EQ(early.audio_end_frame, kAudioEnd);
  end();
  EXPECT_EQ(cancelled(), 0U);
  EXPECT_EQ(all<Transcribe>().size(), 1U);
  const TranscriptionJob final = core.job(0).value();
  EXPECT_EQ(final.audio_end_frame, early.audio_end_frame);
  EXPECT_EQ(final.start_frame, early.start_frame);
  EXPECT_EQ(final.wav_path, early.wav_path);
  EXPECT_EQ(final.phrases, early.phrases);
}

TEST_F(EagerCore, CancelsWhereSpeechGoesOnAndBeginsAgain) {
  open();
  pause(0, kRate * 2);
  core.process(pipeline::SpeechResumed{0}, actions);
  EXPECT_EQ(cancelled(), 1U);
  EXPECT_FALSE(core.job(0));
  pause();
  EXPECT_EQ(begun(), 2U);
  end();
  EXPECT_EQ(cancelled(), 1U);
}

TEST_F(EagerCore, CancelsWhatIsNotKept) {
  open();
  pause();
  end(0, false);
  EXPECT_EQ(cancelled(), 1U);
  EXPECT_THAT(all<Transcribe>(), IsEmpty());
}

TEST_F(EagerCore, CancelsWhereTheSegmentEndsInOtherAudio) {
  open();
  pause();
  end(0, true, kAudioEnd - 10);
  EXPECT_EQ(cancelled(), 1U);
  EXPECT_EQ(all<Transcribe>().size(), 1U);
  EXPECT_EQ(core.job(0).value().audio_end_frame, kAudioEnd - 10);
}

TEST_F(EagerCore, BeginsAgainWhereTheVocabularyChanges) {
  core.set_vocabulary({"Kovacs"}, actions);
  EXPECT_EQ(begun(), 0U);
  open();
  pause();
  core.set_vocabulary({"Tallinn"}, actions);
  EXPECT_EQ(begun(), 2U);
  EXPECT_THAT(core.job(0).value().vocabulary, ElementsAre("Tallinn"));
}

TEST_F(EagerCore, BeginsAgainWhereTheLanguageIsDecided) {
  say(0, 1);
  say(1, 3);
  answer_in("en", 0, "one");
  open(2);
  pause(2);
  EXPECT_EQ(core.job(2).value().language, "");
  answer_in("en", 1, "two");
  EXPECT_EQ(begun(), 2U);
  EXPECT_EQ(core.job(2).value().language, "en");
}

TEST_F(EagerCore, ReportsNothingOfIt) {
  const auto before = all<Emit>().size();
  pause();
  core.process(pipeline::SpeechResumed{0}, actions);
  EXPECT_EQ(all<Emit>().size(), before);
}

TEST_F(EagerCore, IsOffByItselfWhereATextTakesLongerThanTheRestOfTheSilence) {
  open(0);
  pause(0);
  end(0);
  answer_after(0, 545ms);
  open(1);
  pause(1);
  EXPECT_EQ(begun(), 1U);
  end(1);
  answer_after(1, 544ms);
  open(2);
  pause(2);
  EXPECT_EQ(begun(), 2U);
}

TEST_F(EagerCore, HasMoreTimeInALongNote) {
  open(0);
  end(0);
  answer_after(0, 4s);
  open(1);
  pause(1);
  EXPECT_EQ(begun(), 0U);
  core.set_mode(VADMode::long_note, actions);
  pause(1);
  EXPECT_EQ(begun(), 1U);
}

TEST_F(EagerCore, DoesAsTheSettingSays) {
  for (const auto eagerness : {Eagerness::always, Eagerness::never}) {
    auto chosen = settings();
    chosen.eagerness = eagerness;
    RecorderCore other(chosen, clock);
    RecorderCore::Actions asked;
    other.process(vad::SegmentOpened{0, kStart, kKeptStart}, asked);
    other.process(vad::SegmentClosed{0, kKeptStart, kSpeechEnd, kStart, kSpeechEnd, true, vad::CloseReason::silence},
                  asked);
    TranscriptionOutcome slow;
    slow.processing_time = 1h;
    other.transcribed(0, slow, asked);
    asked.clear();
    other.process(vad::SegmentOpened{1, kStart, kKeptStart}, asked);
    other.process(pipeline::SpeechPaused{1, kKeptStart, kAudioEnd}, asked);
    const bool has_begun =
        std::ranges::any_of(asked, [](const Action& action) { return std::holds_alternative<BeginEarly>(action); });
    EXPECT_EQ(has_begun, eagerness == Eagerness::always);
  }
}

TEST_F(Core, ARecordingWithoutSpeechSaysSoAndWhy) {
  core.process(pipeline::Closed{.now = 9 * kRate, .captured = 9 * kRate, .peak_dbfs = -55.4}, actions);
  const auto faults = reported<RecorderFault>();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].code, "no_speech");
  EXPECT_TRUE(faults[0].recoverable);
  EXPECT_THAT(faults[0].message, testing::HasSubstr("No speech found; peak -55 dBFS"));
  EXPECT_THAT(faults[0].message,
              testing::HasSubstr("raise its volume, come nearer, or lower the detector's threshold"));
}

TEST_F(Core, ARecordingOfDigitalSilenceSaysThatItIsMuted) {
  core.process(pipeline::Closed{.now = 9 * kRate, .captured = 9 * kRate}, actions);
  EXPECT_THAT(reported<RecorderFault>().at(0).message, testing::HasSubstr("muted"));
}

TEST_F(Core, ARecordingWithSpeechOrWithoutASecondOfAudioSaysNothingOfIt) {
  RecorderCore brief(settings(), clock);
  RecorderCore::Actions asked;
  brief.process(pipeline::Closed{.now = kRate / 2, .captured = kRate / 2}, asked);
  EXPECT_EQ(asked.size(), 1U) << "idle";
  say(0, 1);
  close();
  EXPECT_THAT(reported<RecorderFault>(), IsEmpty());
}

TEST_F(Core, AResumedSessionAsksForWhatIsMissingOnly) {
  say(0, 1);
  say(1, 4);
  answer(0, "one");
  close();
  RecorderCore resumed(settings(), clock);
  RecorderCore::Actions after;
  resumed.resume(journal(), Redo::nothing, after);
  std::vector<std::uint32_t> jobs;
  for (const Action& action : after) {
    if (const auto* job = std::get_if<Transcribe>(&action)) jobs.push_back(job->segment);
  }
  EXPECT_THAT(jobs, ElementsAre(1));
}

TEST_F(Core, ATextThatAPersonWroteIsTranscribedAgainOnlyWhereThatIsWanted) {
  say(0, 1);
  say(1, 4);
  answer(0, "one");
  answer(1, "two");
  close();
  auto recorded = journal();
  Event edited = recorded.back();
  edited.sequence = *edited.sequence + 1;
  auto& written = edited.body.emplace<TranscriptionComplete>();
  written.text = "won";
  written.success = true;
  written.revision = 1;
  written.edited = true;
  recorded.push_back(edited);
  const auto jobs_of = [&](Redo redo) {
    RecorderCore resumed(settings(), clock);
    RecorderCore::Actions asked;
    resumed.resume(recorded, redo, asked);
    std::vector<std::uint32_t> jobs;
    for (const Action& action : asked) {
      if (const auto* job = std::get_if<Transcribe>(&action)) jobs.push_back(job->segment);
    }
    return jobs;
  };
  EXPECT_THAT(jobs_of(Redo::everything), ElementsAre(1));
  EXPECT_THAT(jobs_of(Redo::everything_and_edits), ElementsAre(0, 1));
}

TEST_F(Core, AResumedSessionGoesOnCountingItsEvents) {
  say(0, 1);
  close();
  const auto before = journal();
  RecorderCore resumed(settings(), clock);
  RecorderCore::Actions after;
  resumed.resume(before, Redo::nothing, after);
  TranscriptionOutcome outcome;
  outcome.text = "late";
  after.clear();
  resumed.transcribed(0, outcome, after);
  EXPECT_EQ(std::get<Emit>(after.front()).event.sequence, *before.back().sequence + 1);
}

TEST_F(Core, AResumedSessionReportsEachNoteOnce) {
  say(0, 1);
  say(1, 4);
  answer(0, "start a new note shopping list");
  close();  // the body has no text yet: the note is still open
  const auto before = reported<NoteCommandDetected>().size() + reported<NoteTitleCaptured>().size();
  ASSERT_EQ(before, 2U);
  RecorderCore resumed(settings(), clock);
  RecorderCore::Actions after;
  resumed.resume(journal(), Redo::nothing, after);
  TranscriptionOutcome outcome;
  outcome.text = "bread";
  resumed.transcribed(1, outcome, after);
  std::vector<std::string> names;
  for (const Action& action : after) {
    const auto* emit = std::get_if<Emit>(&action);
    if (emit != nullptr && !emit->event.is_ephemeral()) names.emplace_back(emit->event.name());
  }
  EXPECT_THAT(names, ElementsAre("TranscriptionComplete", "NoteCompleted"));
}

TEST_F(Core, ANoteThatWasCompletedByACallIsCompletedThereAfterACrash) {
  say(0, 1);
  answer(0, "start a new note shopping list");
  say(1, 4);
  core.complete_note(actions);
  say(2, 7);
  answer(2, "what a lovely day");
  const auto before = journal();  // the body has no text yet
  RecorderCore resumed(settings(), clock);
  actions.clear();
  resumed.resume(before, Redo::nothing, actions);
  TranscriptionOutcome outcome;
  outcome.text = "bread";
  resumed.transcribed(1, outcome, actions);
  ASSERT_EQ(reported<NoteCompleted>().size(), 1U);
  EXPECT_EQ(reported<NoteCompleted>().front().text, "bread");
}

TEST_F(Core, ACallToCompleteANoteIsInTheJournalWhereSomethingWasSaid) {
  core.complete_note(actions);
  EXPECT_THAT(reported<NoteCommandDetected>(), IsEmpty());
  say(0, 1);
  core.complete_note(actions);
  EXPECT_THAT(reported<NoteCommandDetected>(), ElementsAre(NoteCommandDetected{0, NoteCommand::complete}));
}

TEST_F(Core, AResumedSessionKnowsWhatTheEngineSpottedBesideTheText) {
  say(0, 1);
  TranscriptionOutcome outcome;
  outcome.text = "he stood in snow";
  outcome.phrases = {{.phrase = "start a new note", .confidence = 0.9, .start_frame = kRate, .end_frame = 2 * kRate}};
  core.transcribed(0, outcome, actions);
  say(1, 4);
  answer(1, "shopping list");
  say(2, 7);
  close();
  ASSERT_EQ(reported<NoteTitleCaptured>().size(), 1U);
  RecorderCore resumed(settings(), clock);
  const auto before = journal();
  actions.clear();
  resumed.resume(before, Redo::nothing, actions);
  outcome.text = "bread";
  outcome.phrases.clear();
  resumed.transcribed(2, outcome, actions);
  ASSERT_EQ(reported<NoteCompleted>().size(), 1U);
  EXPECT_EQ(reported<NoteCompleted>().back().title, "shopping list");
}

/// What is recorded of notes after the texts of `journal` were revised, and appended to it.
std::vector<RevisedNote> revise(std::vector<Event>& journal) {
  const auto notes = revised_notes(journal, {.sample_rate = kRate}, "/sessions/20261122_000000");
  for (const RevisedNote& each : notes) {
    journal.push_back({journal.back().session, *journal.back().sequence + 1, 1, each.frame, each.note});
  }
  return notes;
}

TEST_F(Core, ANoteWhoseStartFailedIsMadeWhenItsTextComesLate) {
  for (std::uint32_t i = 0; i < 3; ++i) say(i, static_cast<int>(2 * i + 1));
  fail(0);
  answer(1, "Shopping list.");
  answer(2, "Bread.");
  close();
  EXPECT_THAT(reported<NoteCompleted>(), IsEmpty());
  core.retry_failed(actions);
  answer(0, "Start a new note.");
  EXPECT_TRUE(core.take_text_revisions());
  auto recorded = journal();
  const auto made = revise(recorded);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].frame, 6 * kRate + 100);
  EXPECT_EQ(made[0].note,
            (NoteCompleted{
                "Shopping list", "Bread.", {2}, "/sessions/20261122_000000/notes/0001-shopping-list.md", 0, true}));
  EXPECT_THAT(revise(recorded), IsEmpty()) << "it is made once";

  // A correction by hand is its next revision.
  TranscriptionComplete by_hand;
  by_hand.segment_index = 2;
  by_hand.text = "Brown bread.";
  by_hand.success = true;
  by_hand.revision = 1;
  recorded.push_back({"", *recorded.back().sequence + 1, 1, 0, by_hand});
  const auto corrected = revise(recorded);
  ASSERT_EQ(corrected.size(), 1U);
  EXPECT_EQ(corrected[0].note.text, "Brown bread.");
  EXPECT_EQ(corrected[0].note.revision, 1);
  EXPECT_EQ(corrected[0].note.path, made[0].note.path);

  // A session that is resumed reports no note again.
  RecorderCore resumed(settings(), clock);
  actions.clear();
  resumed.resume(recorded, Redo::nothing, actions);
  EXPECT_THAT(reported<NoteCompleted>(), IsEmpty());
}

TEST_F(Core, ALateNoteLeavesTheOthersAsTheyAre) {
  for (std::uint32_t i = 0; i < 7; ++i) say(i, static_cast<int>(2 * i + 1));
  answer(0, "Start a new note.");
  answer(1, "First.");
  answer(2, "One.");
  fail(3);
  answer(4, "Second.");
  answer(5, "Two.");
  answer(6, "End note.");
  close();
  ASSERT_EQ(reported<NoteCompleted>().size(), 1U);
  EXPECT_EQ(reported<NoteCompleted>()[0].text, "One. Second. Two.");
  core.retry_failed(actions);
  answer(3, "Start a new note.");
  auto recorded = journal();
  const auto notes = revise(recorded);
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].note.title, "First");
  EXPECT_EQ(notes[0].note.text, "One.");
  EXPECT_EQ(notes[0].note.revision, 1);
  EXPECT_FALSE(notes[0].note.late);
  EXPECT_EQ(notes[1].note.title, "Second");
  EXPECT_EQ(notes[1].note.text, "Two.");
  EXPECT_TRUE(notes[1].note.late);
  EXPECT_THAT(notes[1].note.path, testing::EndsWith("notes/0002-second.md"));
  EXPECT_THAT(revise(recorded), IsEmpty());
}

TEST_F(Core, WithoutATranscriberAResumedSessionWaitsForNobody) {
  say(0, 1);
  close();
  RecorderCore::Settings without = settings();
  without.transcribes = false;
  RecorderCore resumed(without, clock);
  RecorderCore::Actions after;
  resumed.resume(journal(), Redo::nothing, after);
  EXPECT_EQ(resumed.pending(), 0U);
}

TEST_F(Core, AFailedCaptureIsReportedAndEndsInFailed) {
  core.process(
      pipeline::Closed{.now = kRate, .captured = kRate, .drift_ppm = 0, .failure = EventError{"device_lost", "Gone."}},
      actions);
  EXPECT_EQ(reported<RecorderFault>().back().code, "device_lost");
  EXPECT_EQ(reported<RecordingStateChanged>().back().state, RecordingState::failed);
}

}  // namespace
}  // namespace dictum::recorder
