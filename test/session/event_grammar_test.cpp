#include "support/event_grammar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "journal/journal_reader.hpp"
#include "session/scribe.hpp"
#include "session/wav_repair.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::test {
namespace {

using session::Manifest;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

/// A right session that a test makes wrong.
class Grammar : public testing::Test {
 protected:
  /// Changes the journal's events, numbers them again, and makes the manifest their fold.
  void rewrite(const std::function<void(std::vector<Event>&)>& change) {
    std::vector<Event> events;
    for (journal::JournalReader reader(session_); const auto event = reader.next();) events.push_back(*event);
    change(events);
    std::string journal;
    Manifest manifest = session::read_manifest(session_).unfolded();
    for (std::uint64_t sequence = 0; Event & event : events) {
      event.sequence = sequence++;
      const std::string name = fs::path(session_).filename();
      journal += relative(event.to_json()) + "\n";
      manifest.apply(event);
    }
    for (session::Note& note : manifest.notes) note.path = "notes/" + fs::path(note.path).filename().string();
    write_file(session_ / "events.jsonl", journal);
    session::write_manifest(session_, manifest);
  }

  void rewrite_manifest(const std::function<void(Manifest&)>& change) {
    Manifest manifest = session::read_manifest(session_);
    change(manifest);
    session::write_manifest(session_, manifest);
  }

  void replace_text(const char* file, const std::string& from, const std::string& to) {
    std::string text = content_of(session_ / file);
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    write_file(session_ / file, text);
  }

  template <class Body>
  static std::vector<Event>::iterator nth(std::vector<Event>& events, int n = 0) {
    return std::find_if(events.begin(), events.end(),
                        [&](const Event& event) { return std::holds_alternative<Body>(event.body) && n-- == 0; });
  }

  void expect(const std::string& violation) {
    EXPECT_THAT(grammar_violations(session_), Contains(HasSubstr(violation)));
  }

  const TemporaryDirectory root_;
  const fs::path session_ = make_session(root_.path());

 private:
  std::string relative(std::string line) const {
    const std::string prefix = session_.string() + "/";
    if (const auto at = line.find(prefix); at != std::string::npos) line.erase(at, prefix.size());
    return line;
  }
};

TEST_F(Grammar, FindsNothingWrongWithARightSession) {
  EXPECT_THAT(grammar_violations(session_), IsEmpty());
  rewrite([](std::vector<Event>&) {});
  EXPECT_THAT(grammar_violations(session_), IsEmpty());
}

TEST_F(Grammar, ReportsAMissingManifest) {
  fs::remove(session_ / "manifest.json");
  expect("manifest.json' cannot be read");
}
TEST_F(Grammar, ReportsAMissingJournal) {
  write_file(session_ / "events.jsonl", "");
  expect("the journal is empty");
}
TEST_F(Grammar, SeesADamagedLine) {
  replace_text("events.jsonl", "\"event\"", "\"evnt\"");
  expect("\"event\" is missing");
}
TEST_F(Grammar, SeesATornLine) {
  write_file(session_ / "events.jsonl", content_of(session_ / "events.jsonl") + "{");
  expect("the journal's last line is torn");
}
TEST_F(Grammar, SeesAHoleInTheSequence) {
  replace_text("events.jsonl", "\"sequence\":3", "\"sequence\":33");
  expect("sequence 33 stands where 3 is expected");
}
TEST_F(Grammar, SeesAnEphemeralEvent) {
  write_file(session_ / "events.jsonl", content_of(session_ / "events.jsonl") +
                                            Event{session_.filename(), {}, 1, 1, QueueStatus{}}.to_json() + "\n");
  expect("QueueStatus is ephemeral");
}
TEST_F(Grammar, SeesAnotherFirstEvent) {
  rewrite([](auto& events) { std::swap(events[0], events[1]); });
  expect("the first event is SpeechDetected");
}
TEST_F(Grammar, SeesAnotherSessionsEvent) {
  rewrite([](auto& events) { events[2].session = "20200101_000000"; });
  expect("SpeechEnded belongs to the session '20200101_000000'");
}
TEST_F(Grammar, ReportsAMissingTimestamp) {
  rewrite([](auto& events) { events[2].timestamp = 0; });
  expect("SpeechEnded has no timestamp");
}
TEST_F(Grammar, ReportsAMissingEnd) {
  rewrite([](auto& events) { events.erase(nth<RecordingStateChanged>(events, 1)); });
  expect("the session is not ended by idle or failed");
}
TEST_F(Grammar, SeesARecordingThatIsIdle) {
  rewrite([](auto& events) {
    std::get<RecordingStateChanged>(nth<RecordingStateChanged>(events, 1)->body).is_recording = true;
  });
  expect("is_recording is true in the state idle");
}
TEST_F(Grammar, SeesARecordingEventAfterTheEnd) {
  rewrite([](auto& events) {
    events.push_back(*nth<AudioGap>(events));
    events.push_back({events[0].session, 0, 1, 1, WorkerStatus{"w", WorkerState::failed, "x"}});
  });
  expect("AudioGap comes after the end");
  expect("WorkerStatus comes after the end");
}
TEST_F(Grammar, SeesASegmentWithoutAnEnd) {
  rewrite([](auto& events) { events.erase(nth<SpeechEnded>(events, 2)); });
  expect("is opened while segment 2 is open");
}
TEST_F(Grammar, SeesASegmentThatIsOpenAtTheEnd) {
  rewrite([](auto& events) { events.erase(nth<SpeechEnded>(events, 3)); });
  expect("the recording ends with segment 3 open");
  expect("segment 3 is never closed");
}
TEST_F(Grammar, SeesASegmentThatEndsTwice) {
  rewrite([](auto& events) { events.insert(nth<SpeechEnded>(events, 2), *nth<SpeechEnded>(events, 2)); });
  expect("segment 2 has two SpeechEnded");
}
TEST_F(Grammar, SeesASegmentThatNeverBegan) {
  rewrite([](auto& events) { events.erase(nth<SpeechDetected>(events, 3)); });
  expect("SpeechEnded of segment 3 comes without SpeechDetected");
}
TEST_F(Grammar, SeesAnIndexThatWasLeftOut) {
  rewrite([](auto& events) { std::get<SpeechDetected>(nth<SpeechDetected>(events, 3)->body).segment_index = 4; });
  expect("segment 4 is opened where 3 is next");
}
TEST_F(Grammar, SeesSpeechBeforeTheKeptAudio) {
  rewrite([](auto& events) { nth<SpeechDetected>(events, 3)->frame = 0; });
  expect("the kept audio of segment 3 begins after its speech");
}
TEST_F(Grammar, SeesAWrongDuration) {
  rewrite([](auto& events) { std::get<SpeechEnded>(nth<SpeechEnded>(events, 0)->body).duration_sec = 77; });
  expect("segment 0 has the duration 77");
}
TEST_F(Grammar, SeesSegmentsThatOverlap) {
  rewrite([](auto& events) { std::get<SpeechEnded>(nth<SpeechEnded>(events, 2)->body).start_frame = 20000; });
  expect("segment 2 begins before the one before it ends");
}
TEST_F(Grammar, SeesAKeptSegmentThatIsNotQueued) {
  rewrite([](auto& events) { events.erase(nth<TranscriptionQueued>(events, 1)); });
  expect("segment 2 is kept and not queued");
  expect("TranscriptionComplete of segment 2 comes before TranscriptionQueued");
}
TEST_F(Grammar, SeesASegmentThatIsQueuedTwice) {
  rewrite(
      [](auto& events) { events.insert(nth<TranscriptionQueued>(events, 0), *nth<TranscriptionQueued>(events, 0)); });
  expect("segment 0 is queued 2 times");
}
TEST_F(Grammar, SeesADiscardedSegmentThatIsQueued) {
  rewrite(
      [](auto& events) { std::get<TranscriptionQueued>(nth<TranscriptionQueued>(events, 0)->body).segment_index = 1; });
  expect("TranscriptionQueued names segment 1, which is not a kept one that has ended");
}
TEST_F(Grammar, SeesAWrongFileInTheQueue) {
  rewrite([](auto& events) {
    std::get<TranscriptionQueued>(nth<TranscriptionQueued>(events, 0)->body).wav_path = "x.wav";
  });
  expect("segment 0 is queued as 'x.wav'");
}
TEST_F(Grammar, ReportsAMissingTextUnlessItMayBePending) {
  rewrite([](auto& events) { events.erase(nth<TranscriptionComplete>(events, 1)); });
  expect("segment 0 is queued and has no TranscriptionComplete");
  EXPECT_THAT(grammar_violations(session_, {.transcription_may_be_pending = true}),
              Not(Contains(HasSubstr("is queued and"))));
}
TEST_F(Grammar, SeesARevisionThatComesTwice) {
  rewrite([](auto& events) { events.push_back(*nth<TranscriptionComplete>(events, 0)); });
  expect("TranscriptionComplete of segment 2 has revision 0 where 1 is next");
}
TEST_F(Grammar, SeesASuccessWithAnError) {
  rewrite([](auto& events) {
    std::get<TranscriptionComplete>(nth<TranscriptionComplete>(events, 0)->body).error.emplace();
  });
  expect("TranscriptionComplete of segment 2 has success true and an error");
}
TEST_F(Grammar, SeesATranscriptionThatIsNotAtTheSegmentsEnd) {
  rewrite([](auto& events) { nth<TranscriptionComplete>(events, 0)->frame = 5; });
  expect("TranscriptionComplete of segment 2 is not at its end");
}
TEST_F(Grammar, SeesAWordOutsideItsSegment) {
  rewrite([](auto& events) {
    std::get<TranscriptionComplete>(nth<TranscriptionComplete>(events, 0)->body).words = {{"milk", 0, 5, 1}};
  });
  expect("the word 'milk' lies outside segment 2");
}
TEST_F(Grammar, SeesGapsThatOverlapOrAreEmpty) {
  rewrite([](auto& events) { events.insert(nth<AudioGap>(events), *nth<AudioGap>(events)); });
  expect("before the one before it ends");
  rewrite([](auto& events) { std::get<AudioGap>(nth<AudioGap>(events)->body).frames = 0; });
  expect("a gap has 0 frames");
}
TEST_F(Grammar, SeesTheNoteThatIsMissing) {
  fs::remove(session_ / "notes" / "0001-note.md");
  expect("the note 'notes/0001-note.md' is missing");
}
TEST_F(Grammar, SeesANoteOfASegmentThatIsNone) {
  rewrite([](auto& events) { std::get<NoteCompleted>(nth<NoteCompleted>(events)->body).segments = {9}; });
  expect("NoteCompleted names segment 9");
}
TEST_F(Grammar, SeesAFaultThatSaysNothing) {
  rewrite([](auto& events) { events.push_back({events[0].session, 0, 1, 1, RecorderFault{}}); });
  expect("a RecorderFault says nothing");
}

TEST_F(Grammar, SeesFramesThatDoNotAddUp) {
  rewrite_manifest([](Manifest& manifest) { manifest.end_frame += 1; });
  expect("and gaps of 3000 frames are");
}
TEST_F(Grammar, SeesASegmentBehindTheEnd) {
  rewrite_manifest([](Manifest& manifest) { manifest.end_frame = 1000; });
  expect("segment 0 ends after the recording");
  expect("a gap ends after the recording");
}
TEST_F(Grammar, SeesAManifestThatIsNotTheFoldOfTheJournal) {
  rewrite_manifest([](Manifest& manifest) {
    manifest.segments[0].text = "another";
    manifest.gaps[0].reason = GapReason::disk;
    manifest.notes[0].title = "another";
    manifest.mode = VADMode::normal;
    manifest.stopped_at.reset();
    manifest.session = "another";
  });
  expect("the manifest's segments are not those of the journal");
  expect("the manifest's gaps are not those of the journal");
  expect("the manifest's notes are not those of the journal");
  expect("the manifest's mode is not that of the journal");
  expect("the manifest does not say when the recording stopped");
  expect("the manifest calls the session 'another'");
}

TEST_F(Grammar, SeesASoundFileOfAnotherLength) {
  session::set_frames(journal::SessionFolder(session_), "seg_0002.wav", 100, 16000);
  expect("seg_0002.wav has 100 frames, and the events say");
}
TEST_F(Grammar, SeesAHeaderThatSaysLessThanTheFileHas) {
  write_file(session_ / "seg_0002.wav", content_of(session_ / "seg_0002.wav") + "xx");
  expect("seg_0002.wav is ");
}
TEST_F(Grammar, ReportsAMissingSoundFile) {
  fs::remove(session_ / "seg_0002.wav");
  expect("seg_0002.wav is missing or no sound file");
}
TEST_F(Grammar, SeesASoundFileOfADiscardedSegment) {
  fs::copy_file(session_ / "seg_0002.wav", session_ / "seg_0001.wav");
  expect("seg_0001.wav belongs to no kept segment");
}
TEST_F(Grammar, SeesAnotherRate) {
  rewrite_manifest([](Manifest& manifest) { manifest.sample_rate = 8000; });
  expect("has a rate of 16000 Hz");
}

TEST_F(Grammar, SeesATranscriptWithoutASegment) {
  write_file(session_ / "transcript_raw.txt", "[00:00:00.362] start a new note\n");
  expect("transcript_raw.txt has 1 lines for 3 kept segments");
}
TEST_F(Grammar, SeesATranscriptWithAnotherText) {
  replace_text("transcript_raw.txt", "milk", "silk");
  expect("transcript_raw.txt says '[00:00:02.162] silk and honey' of segment 2");
  replace_text("transcript_incremental.txt", "milk", "silk");
  expect("transcript_incremental.txt does not hold segment 2");
}

TEST_F(Grammar, SeesFilesThatOthersCanRead) {
  fs::permissions(session_ / "seg_0000.wav", fs::perms::others_read, fs::perm_options::add);
  fs::permissions(session_, fs::perms::group_exec, fs::perm_options::add);
  expect("seg_0000.wav has the mode 604, not 600");
  expect(session_.filename().string() + " has the mode 710, not 700");
}
TEST_F(Grammar, SeesWhatWasLeftBehind) {
  write_file(session_ / "manifest.json.new", "");
  expect("manifest.json.new was left behind");
}

}  // namespace
}  // namespace dictum::test
