#include "session/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::session {
namespace {

using test::kRate;
using test::kStarted;

Manifest manifest(bool transcribes = true) {
  Manifest made;
  made.session = "20261122_154501";
  made.started_at = kStarted;
  made.sample_rate = kRate;
  made.source = "file:memo.wav";
  made.config = {{"vad", {{"threshold", 0.5}}}};
  made.transcribes = transcribes;
  return made;
}

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

/// A manifest with segment 0 recorded, and then `events`.
Manifest after(std::vector<EventBody> events, bool transcribes = true) {
  Manifest made = manifest(transcribes);
  made.apply(event(2000, SpeechDetected{0, 1000}));
  made.apply(event(4000, SpeechEnded{0, 0.25, true, 1000, 5000}));
  for (EventBody& body : events) made.apply(event(5000, std::move(body)));
  return made;
}

TEST(Manifest, FoldsToTheSameAgain) {
  const Manifest made = after({transcribed("text", 0), AudioGap{6000, 480, GapReason::disk}});
  Manifest again = made.unfolded();
  EXPECT_TRUE(again.segments.empty());
  again.apply(event(2000, SpeechDetected{0, 1000}));
  again.apply(event(4000, SpeechEnded{0, 0.25, true, 1000, 5000}));
  again.apply(event(5000, transcribed("text", 0)));
  again.apply(event(5000, AudioGap{6000, 480, GapReason::disk}));
  EXPECT_EQ(again, made);
}

/// A manifest with every field set.
Manifest full() {
  Manifest made = after({TranscriptionQueued{0, "seg_0000.wav"}, transcribed("J\xC3\xBCrgen said \"hi\"\n", 3),
                         VADModeChanged{VADMode::long_note, 5000}, AudioGap{6000, 480, GapReason::overflow},
                         NoteCompleted{"List", "milk", {0}, "notes/0001-list.md"},
                         RecordingStateChanged{RecordingState::idle, false, false, false}});
  made.apply(event(9000, SpeechDetected{1, 8000}));
  made.apply(event(9100, SpeechEnded{1, 0.1, false, 8000, 9500}));
  made.apply(event(9600, SpeechDetected{3, 9500}));
  TranscriptionComplete lost = failed(0);
  lost.segment_index = 3;
  made.apply(event(9700, SpeechEnded{3, 0.1, true, 9500, 9900}));
  made.apply(event(9900, lost));
  made.frames = 9520;
  made.end_frame = 10000;
  made.drift_ppm = -12.345678901234567;
  made.keep_all = true;
  return made;
}

boost::json::object written() {
  boost::system::error_code error;
  return json::parse(to_text(full()), error).as_object();
}

TEST(ManifestFile, IsReadBackAsItWasWritten) {
  EXPECT_EQ(parse_manifest(to_text(full())), full());
}

TEST(ManifestFile, HasTheFieldsThatOthersRelyOn) {
  const boost::json::object json = written();
  for (const char* key : {"schema", "session", "started_at", "stopped_at", "sample_rate", "frames", "end_frame",
                          "source", "config", "gaps", "drift_ppm", "segments"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  const boost::json::object& segment = json.at("segments").at(0).as_object();
  for (const char* key : {"index", "file", "kept", "start_frame", "end_frame", "speech_start_frame", "speech_end_frame",
                          "mode", "text", "status"}) {
    EXPECT_TRUE(segment.contains(key)) << key;
  }
  EXPECT_EQ(segment.at("file"), "seg_0000.wav");
  EXPECT_TRUE(json.at("segments").at(1).at("file").is_null()) << "nothing is kept of a discarded segment";
}

TEST(ManifestFile, IsReplacedOnDisk) {
  const test::TemporaryDirectory folder;
  write_manifest(folder.path(), manifest());
  write_manifest(folder.path(), full());
  EXPECT_EQ(read_manifest(folder.path()), full());
}

TEST(ManifestFile, OfANewerVersionIsRefusedAsSuch) {
  try {
    parse_manifest(R"({"schema":2,"everything":"else"})");
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::session_unreadable);
    EXPECT_THAT(error.what(), testing::HasSubstr("newer version of Dictum (schema 2; this one reads up to 1)"));
  }
}

TEST(ManifestFile, IsRefusedWithoutAnyOneOfItsFields) {
  const boost::json::object whole = written();
  for (const auto& [key, value] : whole) {
    boost::json::object part = whole;
    part.erase(key);
    try {
      parse_manifest(json::to_line(part));
      ADD_FAILURE() << key;
    } catch (const RecorderError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr('"' + std::string(key) + "\" is missing"));
    }
  }
}

TEST(ManifestFile, IsRefusedWithAWrongTypeInAnyOneOfItsFields) {
  const boost::json::object whole = written();
  for (const auto& [key, value] : whole) {
    boost::json::object wrong = whole;
    wrong[key] = value.is_array() ? boost::json::value(1) : boost::json::value(boost::json::array{1});
    EXPECT_THROW(parse_manifest(json::to_line(wrong)), RecorderError) << key;
  }
}

TEST(ManifestFile, IsRefusedWithAWrongTypeInAnyFieldOfASegment) {
  const boost::json::object whole = written();
  for (const auto& [key, value] : whole.at("segments").at(0).as_object()) {
    if (key == "file") continue;  // follows from the others
    boost::json::object wrong = whole;
    wrong.at("segments").as_array()[0].as_object()[key] = boost::json::array{};
    EXPECT_THROW(parse_manifest(json::to_line(wrong)), RecorderError) << key;
  }
}

TEST(ManifestFile, IsRefusedWhereValuesContradictEachOther) {
  const auto refused = [](const char* key, boost::json::value value) {
    boost::json::object wrong = written();
    wrong.at("segments").as_array()[0].as_object()[key] = std::move(value);
    EXPECT_THROW(parse_manifest(json::to_line(wrong)), RecorderError) << key;
  };
  refused("kept", false);
  refused("index", 1);
  refused("end_frame", 999);
  refused("start_frame", -1);
  refused("status", "lost");
  refused("mode", "loud");
}

TEST(ManifestFile, IsRefusedWhereItIsNoJSONObject) {
  for (const char* wrong : {"", "{", "[]", "7", "\xFF", "{}{}"})
    EXPECT_THROW(parse_manifest(wrong), RecorderError) << wrong;
}

TEST(ManifestFile, KeepsTheNameOfTheFileInTheMessage) {
  const test::TemporaryDirectory folder;
  test::write_file(folder / "manifest.json", "{");
  try {
    read_manifest(folder.path());
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr((folder / "manifest.json").string()));
  }
}

}  // namespace
}  // namespace dictum::session
