#include "wire/event_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/json.hpp"

namespace dictum {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Event event(EventBody body) {
  Event made{.session = "20261122_154501", .sequence = 7, .timestamp = 1795363501.25, .frame = 123456, .body = body};
  if (made.is_ephemeral()) made.sequence.reset();
  return made;
}

/// One of every kind, and every shape that a field can take.
std::vector<Event> all_events() {
  const TranscriptionComplete transcribed{
      .segment_index = 3,
      .text = "say \"hello\"\n\\ to J\xC3\xBCrgen \xF0\x9F\x8E\xA4",
      .success = true,
      .error = std::nullopt,
      .processing_time_sec = 0.1,
      .words = {{.text = "say", .start_frame = 100, .end_frame = 5000000000, .confidence = 1.0 / 3}, {}},
      .no_speech_probability = 0.25,
      .suspect = true,
      .revision = 2,
      .phrases = {{.phrase = "end note", .confidence = 0.75, .start_frame = 1, .end_frame = 2}},
      .edited = true,
      .suspect_reason = "it repeats itself",
      .annotations = {"(music)", "*coughs*"},
      .engine = "whisper.cpp 1.9.3",
      .model = "base-q8_0",
      .language = "en",
      .replacements = {{.written = "cube control", .meant = "kubectl"}}};
  TranscriptionComplete failed;
  failed.segment_index = std::numeric_limits<std::uint32_t>::max();
  failed.error = EventError{"quarantined", "it killed its workers"};
  return {
      event(RecordingStateChanged{RecordingState::recording, true, false, true}),
      event(RecordingStateChanged{RecordingState::failed, false, true, false}),
      event(VADModeChanged{VADMode::long_note, 5000}),
      event(SpeechDetected{1, 2048}),
      event(SpeechEnded{1, 2.5, true, 2048, 42048}),
      event(SpeechEnded{2, 0.1, false, 50000, 51600, DiscardReason::too_short}),
      event(TranscriptionQueued{1, "seg_0001.wav"}),
      event(transcribed),
      event(failed),
      event(NoteCommandDetected{4, NoteCommand::scratch}),
      event(NoteTitleCaptured{4, "shopping list"}),
      event(NoteCompleted{"shopping list", "milk and honey", {5, 6}, "notes/0001-shopping-list.md"}),
      event(NoteCompleted{"late", "", {}, "notes/0002-late.md", 0, true}),
      event(NoteCancelled{"", "", {}, ""}),
      event(AudioGap{9000, 480, GapReason::suspended}),
      event(DeviceChanged{"USB microphone", "plugged in"}),
      event(WorkerStatus{"pocketsphinx-0", WorkerState::ready, ""}),
      event(WorkerStatus{"pocketsphinx-0", WorkerState::failed, "It died.", "worker_died"}),
      event(RecorderFault{"disk_full", "The disk is full.", true}),
      event(TranscriptionLanguageChosen{"en"}),
      event(TranscriptionPartial{2, "so far", 3}),
      event(AudioLevel{-23.5, -12, 0.75, 320}),
      event(QueueStatus{2, 5, 1.5}),
  };
}

TEST(EventJSON, ReadsBackEveryEventAsItWasWritten) {
  for (const Event& original : all_events()) {
    EXPECT_EQ(wire::parse_event(original.to_json()), original) << original.to_json();
  }
}

TEST(EventJSON, TestsEveryKindOfEvent) {
  std::vector<bool> seen(std::variant_size_v<EventBody>);
  for (const Event& each : all_events()) seen[each.body.index()] = true;
  EXPECT_THAT(seen, testing::Each(true));
}

TEST(EventJSON, MentionsAPersonOnlyWhereOneWroteTheText) {
  EXPECT_EQ(event(TranscriptionComplete{}).to_json().find("edited"), std::string::npos);
  TranscriptionComplete written;
  written.edited = true;
  EXPECT_THAT(event(written).to_json(), HasSubstr(R"("edited":true)"));
}

TEST(EventJSON, WritesTheEnvelopeFirstAndOnOneLine) {
  EXPECT_EQ(
      event(SpeechEnded{1, 2.5, true, 2048, 42048}).to_json(),
      R"({"event":"SpeechEnded","session":"20261122_154501","sequence":7,"timestamp":1795363501.25,"frame":123456,)"
      R"("segment_index":1,"duration_sec":2.5,"kept":true,"start_frame":2048,"end_frame":42048})");
}

TEST(EventJSON, WritesNoSequenceInAnEphemeralEvent) {
  EXPECT_EQ(event(QueueStatus{2, 5, 1.5}).to_json(),
            R"({"event":"QueueStatus","session":"20261122_154501","timestamp":1795363501.25,"frame":123456,)"
            R"("queued_jobs":2,"completed_transcriptions":5,"oldest_sec":1.5})");
}

TEST(EventJSON, WritesNullWhereATranscriptionHasNoErrorAndNoProbability) {
  const std::string line = event(TranscriptionComplete{}).to_json();
  EXPECT_THAT(line, HasSubstr(R"("error":null)"));
  EXPECT_THAT(line, HasSubstr(R"("no_speech_probability":null)"));
}

TEST(EventJSON, ReadsBackEveryTimestampToTheLastBit) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> seconds(1.7e9, 2e9);
  for (int i = 0; i < 2000; ++i) {
    Event original = event(QueueStatus{});
    original.timestamp = seconds(random);
    ASSERT_EQ(wire::parse_event(original.to_json()).timestamp, original.timestamp) << original.to_json();
  }
}

TEST(EventJSON, ReadsBackWhatIsNoNumberAsNotANumber) {
  const Event read = wire::parse_event(event(AudioLevel{-std::numeric_limits<double>::infinity(), 0, 0, 0}).to_json());
  EXPECT_TRUE(std::isnan(std::get<AudioLevel>(read.body).rms_dbfs));
}

TEST(EventJSON, WritesTextThatIsNotUTF8SoThatItCanBeRead) {
  const Event read = wire::parse_event(event(NoteTitleCaptured{1, "caf\xE9"}).to_json());
  EXPECT_EQ(std::get<NoteTitleCaptured>(read.body).title, "caf\xEF\xBF\xBD");
}

TEST(EventJSON, IgnoresFieldsOfANewerVersion) {
  std::string line = event(SpeechDetected{1, 2048}).to_json();
  line.insert(1, R"("colour":{"deep":[1,2,3]},)");
  EXPECT_EQ(wire::parse_event(line), event(SpeechDetected{1, 2048}));
}

TEST(EventJSON, TellsAnEventOfANewerVersionFromDamage) {
  try {
    wire::parse_event(
        R"({"event":"SpeakerChanged","session":"s","sequence":12,"timestamp":1,"frame":2,"speaker":"Ann"})");
    FAIL();
  } catch (const wire::UnknownEvent& unknown) {
    EXPECT_EQ(unknown.name(), "SpeakerChanged");
    EXPECT_EQ(unknown.sequence(), 12u);
  }
}

struct Wrong {
  const char* line;
  const char* says;
};

class WrongEventJSON : public testing::TestWithParam<Wrong> {};

TEST_P(WrongEventJSON, IsRefusedWithWhatIsWrong) {
  try {
    wire::parse_event(GetParam().line);
    FAIL() << GetParam().line;
  } catch (const wire::UnknownEvent&) {
    FAIL() << "not damage: " << GetParam().line;
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::session_unreadable);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
  }
}

#define DICTUM_ENVELOPE R"("session":"s","sequence":1,"timestamp":1.5,"frame":2)"

INSTANTIATE_TEST_SUITE_P(
    Lines, WrongEventJSON,
    testing::Values(
        Wrong{"", "incomplete"}, Wrong{"{", "incomplete"}, Wrong{"[]", "not a JSON object"},
        Wrong{"nonsense", "not an event"}, Wrong{"{} {}", "extra data"}, Wrong{"{}", "\"event\" is missing"},
        Wrong{"{\"event\":\"\xFF\"}", "not an event"}, Wrong{R"({"event":7})", "\"event\" is not a string"},
        Wrong{R"({"event":"SpeechDetected","session":"s","sequence":-1,"timestamp":1,"frame":2})",
              "\"sequence\" is not a whole number"},
        Wrong{R"({"event":"SpeechDetected","session":"s","sequence":1.5,"timestamp":1,"frame":2})",
              "\"sequence\" is not a whole number"},
        Wrong{R"({"event":"SpeechDetected","session":"s","timestamp":1,"frame":2,"segment_index":1,"start_frame":1})",
              "needs a \"sequence\""},
        Wrong{R"({"event":"QueueStatus",)" DICTUM_ENVELOPE
              R"(,"queued_jobs":1,"completed_transcriptions":1,"oldest_sec":1})",
              "never has a \"sequence\""},
        Wrong{R"({"event":"SpeechDetected",)" DICTUM_ENVELOPE "}", "\"segment_index\" is missing"},
        Wrong{R"({"event":"SpeechDetected",)" DICTUM_ENVELOPE R"(,"segment_index":4294967296,"start_frame":1})",
              "from 0 to 4294967295"},
        Wrong{R"({"event":"SpeechDetected",)" DICTUM_ENVELOPE R"(,"segment_index":1,"start_frame":1e300})",
              "\"start_frame\" is not"},
        Wrong{R"({"event":"VADModeChanged",)" DICTUM_ENVELOPE R"(,"mode":"loud","min_silence_ms":1})",
              "\"mode\" is not a VAD mode"},
        Wrong{R"({"event":"RecordingStateChanged",)" DICTUM_ENVELOPE R"(,"state":"idle","is_recording":"no"})",
              "\"is_recording\" is not true or false"},
        Wrong{R"({"event":"NoteCompleted",)" DICTUM_ENVELOPE R"(,"title":"t","text":"x","segments":[1,"2"],"path":""})",
              "\"segments[1]\" is not"},
        Wrong{R"({"event":"NoteCompleted",)" DICTUM_ENVELOPE R"(,"title":"t","text":"x","segments":{},"path":""})",
              "\"segments\" is not a list"},
        Wrong{R"({"event":"TranscriptionComplete",)" DICTUM_ENVELOPE
              R"(,"segment_index":1,"text":"","success":false,"error":{"code":1}})",
              "\"error.code\" is not a string"},
        Wrong{
            R"({"event":"TranscriptionComplete",)" DICTUM_ENVELOPE
            R"(,"segment_index":1,"text":"","success":true,"error":null,"processing_time_sec":1,"words":[{"text":"a"}]})",
            "\"words[0].start_frame\" is missing"}));

TEST(EventJSON, SurvivesALineThatIsNestedWithoutEnd) {
  EXPECT_THROW(wire::parse_event(std::string(1000000, '[')), RecorderError);
}

template <class E>
void expect_every_name_to_be_read(std::optional<E> (*named)(std::string_view) noexcept, int count) {
  for (int i = 0; i < count; ++i) {
    const auto value = static_cast<E>(i);
    EXPECT_EQ(named(to_string(value)), value) << to_string(value);
  }
  EXPECT_EQ(to_string(static_cast<E>(count)), "unknown");
  EXPECT_EQ(named("unknown"), std::nullopt);
}

TEST(EventNames, OfEveryEnumerationAreReadBack) {
  expect_every_name_to_be_read(wire::recording_state, 6);
  expect_every_name_to_be_read(wire::vad_mode, 2);
  expect_every_name_to_be_read(wire::note_command, 6);
  expect_every_name_to_be_read(wire::gap_reason, 6);
  expect_every_name_to_be_read(wire::worker_state, 5);
}

TEST(JSONNumbers, AreReadToTheLastBit) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 2000; ++i) {
    const double number =
        std::ldexp(std::uniform_real_distribution<double>(-1, 1)(random), static_cast<int>(random() % 600) - 300);
    boost::system::error_code error;
    ASSERT_EQ(json::parse(json::to_line(number), error).to_number<double>(), number);
    ASSERT_FALSE(error);
  }
}

}  // namespace
}  // namespace dictum
