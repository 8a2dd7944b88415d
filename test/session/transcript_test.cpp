#include "session/transcript.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session/note_file.hpp"
#include "session/scribe.hpp"

namespace dictum::session {
namespace {

using test::kRate;

Segment segment(SegmentStatus status, const std::string& text = "") {
  Segment made;
  made.status = status;
  made.text = text;
  made.speech_start_frame = (3661 * kRate) + 4000;
  return made;
}

TEST(TranscriptLine, BeginsWithTheTimeOfTheFirstSpeech) {
  EXPECT_EQ(transcript_line(segment(SegmentStatus::done, "hello"), kRate), "[01:01:01.250] hello\n");
}

TEST(TranscriptLine, HasNothingBehindTheTimeWhereNothingWasRecognised) {
  EXPECT_EQ(transcript_line(segment(SegmentStatus::done), kRate), "[01:01:01.250]\n");
}

TEST(TranscriptLine, SaysWhyThereIsNoText) {
  Segment failed = segment(SegmentStatus::failed);
  failed.error = EventError{"worker_died", "the recogniser died"};
  EXPECT_EQ(transcript_line(failed, kRate), "[01:01:01.250] [not transcribed: the recogniser died]\n");
  EXPECT_EQ(transcript_line(segment(SegmentStatus::skipped), kRate),
            "[01:01:01.250] [not transcribed: transcription was off]\n");
  EXPECT_EQ(transcript_line(segment(SegmentStatus::queued), kRate),
            "[01:01:01.250] [not transcribed: it is still waiting]\n");
}

TEST(TranscriptLine, IsOneLineWhateverTheText) {
  EXPECT_EQ(
      transcript_line(segment(SegmentStatus::done, "a\nb\r\x1B[2Jc\x7F\xC2\x85\xE2\x80\xA8\xE2\x80\xAE\xFF"), kRate),
      "[01:01:01.250] a b  [2Jc    \xEF\xBF\xBD\n");
}

TEST(TranscriptLine, HasTheTimeToTheMillisecondAtAnyRate) {
  Segment late = segment(SegmentStatus::done, "x");
  late.speech_start_frame = Frame{100} * 3600 * 44100 + 44099;
  EXPECT_EQ(transcript_line(late, 44100), "[100:00:00.999] x\n");
}

Manifest manifest_of(std::vector<SegmentStatus> statuses) {
  Manifest made;
  made.sample_rate = kRate;
  for (const SegmentStatus status : statuses) {
    made.segments.push_back(segment(status, "text"));
    made.segments.back().index = static_cast<std::uint32_t>(made.segments.size() - 1);
  }
  return made;
}

TEST(RawTranscript, IsSettledUpToTheFirstSegmentThatWaits) {
  using enum SegmentStatus;
  EXPECT_EQ(settled_segments(manifest_of({done, discarded, failed, skipped, queued, done})), 4u);
  EXPECT_EQ(settled_segments(manifest_of({recording})), 0u);
  EXPECT_EQ(settled_segments(manifest_of({done, done, done}), 2), 3u);
}

TEST(RawTranscript, LeavesOutDiscardedSegments) {
  using enum SegmentStatus;
  EXPECT_EQ(raw_transcript(manifest_of({done, discarded, done}), 3), "[01:01:01.250] text\n[01:01:01.250] text\n");
}

class NoteFile : public testing::Test {
 protected:
  NoteFile() {
    manifest_.session = "20261122_154501";
    manifest_.started_at = test::kStarted;
    manifest_.sample_rate = kRate;
    for (std::uint32_t index : {5u, 6u}) {
      Segment part;
      part.index = index;
      part.status = SegmentStatus::done;
      part.speech_start_frame = index * kRate;
      part.speech_end_frame = index * kRate + kRate / 2;
      manifest_.segments.push_back(part);
    }
    event_.frame = 2 * kRate;
  }
  Manifest manifest_;
  Event event_;
};

TEST_F(NoteFile, HasFrontMatterBodyAndLinks) {
  EXPECT_EQ(
      note_markdown(manifest_, event_, {"Shopping list", "milk and honey", {5, 6}, "notes/0001-shopping-list.md"}),
      "---\n"
      "title: \"Shopping list\"\n"
      "session: \"20261122_154501\"\n"
      "start: 2026-11-22T15:45:06.250Z\n"
      "duration_sec: 1.500\n"
      "segments: [5, 6]\n"
      "audio: [../seg_0005.wav, ../seg_0006.wav]\n"
      "---\n"
      "\n"
      "# Shopping list\n"
      "\n"
      "milk and honey\n"
      "\n"
      "Audio: [seg_0005.wav](../seg_0005.wav) [seg_0006.wav](../seg_0006.wav)\n");
}

TEST_F(NoteFile, OfAnEmptyNoteIsAtItsEvent) {
  const std::string page = note_markdown(manifest_, event_, {"Untitled", "", {}, "notes/0001-untitled.md"});
  EXPECT_THAT(page,
              testing::HasSubstr("start: 2026-11-22T15:45:03.250Z\nduration_sec: 0.000\nsegments: []\naudio: []\n"));
  EXPECT_THAT(page, testing::EndsWith("# Untitled\n"));
}

TEST_F(NoteFile, TakesNothingForMarkup) {
  const std::string page = note_markdown(manifest_, event_, {"a: \"b\"\n---", "1. <script> *x* [y](z)\n# k", {}, ""});
  EXPECT_THAT(page, testing::HasSubstr("title: \"a: \\\"b\\\"\\n---\"\n"));
  EXPECT_THAT(page, testing::HasSubstr("\n# a: \"b\" ---\n"));
  EXPECT_THAT(page, testing::HasSubstr("\n1\\. \\<script\\> \\*x\\* \\[y\\](z) \\# k\n"));
}

TEST_F(NoteFile, BeginsNoListWithTheBody) {
  const std::string page = note_markdown(manifest_, event_, {"t", "- not a list", {}, ""});
  EXPECT_THAT(page, testing::HasSubstr("\n\\- not a list\n"));
}

}  // namespace
}  // namespace dictum::session
