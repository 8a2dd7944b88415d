#include "journal/session_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace dictum::journal {
namespace {

using testing::ElementsAre;

Event event(Frame frame, EventBody body) {
  return {
      .session = "20261122_154501", .sequence = 0, .timestamp = 1795362302.5, .frame = frame, .body = std::move(body)};
}

TranscriptionComplete transcribed(const std::string& text, int revision) {
  TranscriptionComplete complete;
  complete.text = text;
  complete.success = true;
  complete.revision = revision;
  return complete;
}

TranscriptionComplete failed(int revision) {
  TranscriptionComplete complete;
  complete.error = EventError{"worker_died", "it died"};
  complete.revision = revision;
  return complete;
}

/// The state with segment 0 recorded, and then `events`.
SessionState after(std::vector<EventBody> events, bool transcribes = true) {
  SessionState made{.transcribes = transcribes};
  made.apply(event(2000, SpeechDetected{0, 1000}));
  made.apply(event(4000, SpeechEnded{0, 0.25, true, 1000, 5000}));
  for (EventBody& body : events) made.apply(event(5000, std::move(body)));
  return made;
}

TEST(SessionState, HasTheFramesOfKeptAudioAndOfSpeech) {
  const Segment segment = after({}).segments.at(0);
  EXPECT_EQ(segment.start_frame, 1000);
  EXPECT_EQ(segment.end_frame, 5000);
  EXPECT_EQ(segment.speech_start_frame, 2000);
  EXPECT_EQ(segment.speech_end_frame, 4000);
}

TEST(SessionState, FollowsASegmentFromRecordingToDone) {
  SessionState made{.transcribes = true};
  made.apply(event(2000, SpeechDetected{0, 1000}));
  EXPECT_EQ(made.segments[0].status, SegmentStatus::recording);
  made.apply(event(4000, SpeechEnded{0, 0.25, true, 1000, 5000}));
  EXPECT_EQ(made.segments[0].status, SegmentStatus::recording) << "its file may not be complete yet";
  made.apply(event(5000, TranscriptionQueued{0, "seg_0000.wav"}));
  EXPECT_EQ(made.segments[0].status, SegmentStatus::queued);
  made.apply(event(5000, transcribed("hello", 0)));
  EXPECT_EQ(made.segments[0].status, SegmentStatus::done);
  EXPECT_EQ(made.segments[0].text, "hello");
}

TEST(SessionState, CallsAKeptSegmentSkippedWhereTranscriptionIsOff) {
  EXPECT_EQ(after({}, false).segments[0].status, SegmentStatus::skipped);
}

TEST(SessionState, CallsASegmentDiscardedThatIsNotKept) {
  SessionState made{.transcribes = true};
  made.apply(event(2000, SpeechDetected{0, 1000}));
  made.apply(event(2100, SpeechEnded{0, 0.1, false, 1000, 3000}));
  EXPECT_EQ(made.segments[0].status, SegmentStatus::discarded);
  EXPECT_FALSE(made.segments[0].is_kept());
}

TEST(SessionState, ShowsTheNewestText) {
  EXPECT_EQ(after({transcribed("old", 0), transcribed("new", 1)}).segments[0].text, "new");
}

TEST(SessionState, ShowsTheNewestTextWhateverTheOrder) {
  EXPECT_EQ(after({transcribed("new", 1), transcribed("old", 0)}).segments[0].text, "new");
}

TEST(SessionState, KeepsATextWhenALaterRevisionFails) {
  const Segment segment = after({transcribed("old", 0), failed(1)}).segments[0];
  EXPECT_EQ(segment.text, "old");
  EXPECT_EQ(segment.status, SegmentStatus::done);
}

TEST(SessionState, CountsEveryResult) {
  EXPECT_EQ(after({}).segments[0].revisions, 0);
  EXPECT_EQ(after({transcribed("old", 0), failed(1)}).segments[0].revisions, 2);
  EXPECT_EQ(after({transcribed("new", 1), transcribed("old", 0)}).segments[0].revisions, 2);
}

TEST(SessionState, HasTheReasonOfAFailureUntilARetrySucceeds) {
  EXPECT_EQ(after({failed(0)}).segments[0].error->code, "worker_died");
  EXPECT_EQ(after({failed(0)}).segments[0].status, SegmentStatus::failed);
  const Segment segment = after({failed(0), transcribed("at last", 1)}).segments[0];
  EXPECT_EQ(segment.error, std::nullopt);
  EXPECT_EQ(segment.status, SegmentStatus::done);
}

TEST(SessionState, GivesASegmentTheModeInWhichItsSpeechWasDetected) {
  SessionState made = after({VADModeChanged{VADMode::long_note, 5000}});
  made.apply(event(9000, SpeechDetected{1, 8000}));
  made.apply(event(9500, VADModeChanged{VADMode::normal, 800}));
  EXPECT_EQ(made.segments[0].mode, VADMode::normal);
  EXPECT_EQ(made.segments[1].mode, VADMode::long_note);
}

TEST(SessionState, AddsUpTheGaps) {
  const SessionState made = after({AudioGap{6000, 480, GapReason::overflow}, AudioGap{7000, 1600, GapReason::paused}});
  EXPECT_EQ(made.gaps, (std::vector<Gap>{{6000, 480, GapReason::overflow}, {7000, 1600, GapReason::paused}}));
  EXPECT_EQ(made.gap_frames(), 2080);
}

TEST(SessionState, IsStoppedByIdleAndByFailed) {
  for (const RecordingState state : {RecordingState::idle, RecordingState::failed}) {
    EXPECT_EQ(after({RecordingStateChanged{state, false, false, false}}).stopped_at,
              std::chrono::system_clock::time_point(std::chrono::milliseconds(1795362302500)));
  }
  EXPECT_EQ(after({RecordingStateChanged{RecordingState::paused, true, true, false}}).stopped_at, std::nullopt);
}

TEST(SessionState, ListsCompletedNotes) {
  const SessionState made =
      after({NoteCompleted{"List", "milk", {0}, "notes/0001-list.md"}, NoteCancelled{"no", "", {}, ""}});
  EXPECT_EQ(made.notes, (std::vector<Note>{{"List", "notes/0001-list.md", {0}}}));
}

TEST(SessionState, IsNotChangedByEventsThatDoNotFit) {
  const SessionState before = after({transcribed("text", 0)});
  SessionState made = before;
  made.apply(event(1, SpeechDetected{0, 0}));
  made.apply(event(1, TranscriptionQueued{7, "x"}));
  TranscriptionComplete foreign = transcribed("x", 0);
  foreign.segment_index = 4000000000;
  made.apply(event(1, foreign));
  EXPECT_EQ(made, before);
}

TEST(SessionState, TakesASegmentWhoseFirstLineIsLost) {
  SessionState made = after({});
  made.apply(event(900, SpeechEnded{7, 0.05, true, 100, 900}));
  ASSERT_NE(made.find(7), nullptr);
  EXPECT_EQ(made.find(7)->start_frame, 100);
  EXPECT_EQ(made.find(7)->end_frame, 900);
  EXPECT_THAT(made.position.open_segments, testing::Not(testing::Contains(7u)));
}

TEST(SessionState, KeepsTheOrderOfTheSegmentsAlsoWhereARecoveryFoundOneLate) {
  SessionState made;
  for (const std::uint32_t index : {0u, 2u, 1u}) made.apply(event(100, SpeechDetected{index, 50}));
  ASSERT_EQ(made.segments.size(), 3u);
  for (std::uint32_t index = 0; index < 3; ++index) EXPECT_EQ(made.segments[index].index, index);
}

TEST(SessionState, SaysWhetherAResultBecameTheTextOfItsSegment) {
  SessionState made = after({});
  EXPECT_TRUE(made.apply(event(5000, transcribed("old", 0))));
  EXPECT_TRUE(made.apply(event(5000, transcribed("new", 2))));
  EXPECT_FALSE(made.apply(event(5000, transcribed("late", 1))));
  EXPECT_FALSE(made.apply(event(5000, failed(3))));
  EXPECT_FALSE(made.apply(event(5000, AudioGap{6000, 480, GapReason::overflow})));
}

TEST(SessionState, KnowsATextThatAPersonWrote) {
  TranscriptionComplete written = transcribed("by hand", 1);
  written.edited = true;
  EXPECT_FALSE(after({transcribed("old", 0)}).segments[0].edited);
  EXPECT_TRUE(after({transcribed("old", 0), written}).segments[0].edited);
  EXPECT_TRUE(after({transcribed("old", 0), written, failed(2)}).segments[0].edited)
      << "the text is still the person's";
  EXPECT_FALSE(after({transcribed("old", 0), written, transcribed("again", 2)}).segments[0].edited);
}

TEST(SessionState, KnowsWhichSegmentsAreOpen) {
  SessionState made = after({SpeechDetected{1, 6000}, SpeechDetected{3, 7000}});
  EXPECT_THAT(made.position.open_segments, ElementsAre(1, 3));
  made.apply(event(7000, SpeechEnded{1, 0.1, false, 6000, 7000}));
  made.apply(event(7000, SpeechEnded{2, 0.1, true, 6000, 7000}));
  EXPECT_THAT(made.position.open_segments, ElementsAre(3));
}

TEST(SessionState, KnowsWhereTheJournalEnds) {
  SessionState made = after({});
  EXPECT_FALSE(made.position.has_ended);
  Event last = event(7000, RecordingStateChanged{RecordingState::failed, false, false, false});
  last.sequence = 41;
  made.apply(last);
  EXPECT_TRUE(made.position.has_ended);
  EXPECT_EQ(made.position.next_sequence, 42U);
  EXPECT_EQ(made.position.last_frame, 7000);
}

TEST(SessionState, EndsWithTheLastThingOfTheJournal) {
  EXPECT_EQ(SessionState{}.end_frame(), 0);
  EXPECT_EQ(after({}).end_frame(), 5000) << "the kept audio ends behind the newest event";
  EXPECT_EQ(after({AudioGap{6000, 480, GapReason::overflow}}).end_frame(), 6480);
}

TEST(SessionState, CountsTheNoteEventsOfTheDialogue) {
  const SessionState made =
      after({NoteCommandDetected{0, NoteCommand::start}, NoteCommandDetected{0, NoteCommand::complete},
             NoteTitleCaptured{0, "List"}, NoteCompleted{"List", "milk", {0}, "notes/0001-list.md"},
             NoteCompleted{"List", "oat milk", {0}, "notes/0001-list.md", 1}, NoteCancelled{"no", "", {}, ""}});
  EXPECT_EQ(made.position.note_events, 4U) << "complete_note and a note's revision come from elsewhere";
}

TEST(SessionState, StopsTheClockOfNotesInPausesOnly) {
  EXPECT_EQ(after({AudioGap{6000, 480, GapReason::overflow}, AudioGap{7000, 1600, GapReason::paused},
                   AudioGap{9000, 400, GapReason::paused}})
                .position.paused_frames,
            2000);
}

TEST(SessionState, KnowsWhetherATextWasRevised) {
  EXPECT_FALSE(after({transcribed("text", 0), failed(1)}).position.has_revised_text);
  EXPECT_TRUE(after({transcribed("text", 0), transcribed("better", 1)}).position.has_revised_text);
}

TEST(SessionState, SurvivesNumbersThatNoRecordingHas) {
  constexpr auto kMaxFrame = std::numeric_limits<Frame>::max();
  const SessionState made =
      after({AudioGap{kMaxFrame, kMaxFrame, GapReason::paused}, AudioGap{1, kMaxFrame, GapReason::paused}});
  EXPECT_EQ(made.gap_frames(), kMaxFrame);
  EXPECT_EQ(made.end_frame(), kMaxFrame);
  EXPECT_EQ(made.position.paused_frames, kMaxFrame);
}

TEST(SessionState, IsEqualWhereItsManifestSaysTheSame) {
  SessionState made = after({});
  SessionState other = made;
  other.position = {};
  EXPECT_EQ(made, other);
  other.segments[0].text = "other";
  EXPECT_FALSE(made == other);
}

}  // namespace
}  // namespace dictum::journal
