#include "transcription/worker_protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "dictum/error.hpp"

namespace dictum::transcription {
namespace {

struct Golden {
  Message message;
  std::string json;
};

/// What docs/worker-protocol.md shows, byte for byte: workers in other languages rely on it.
std::vector<Golden> golden_frames() {
  return {
      {Hello{.engine = "pocketsphinx 5",
             .model = "en-us",
             .languages = {"en-US"},
             .abilities = {"words", "phrases"},
             .cancel_ms = 100},
       R"({"type":"hello","protocol":1,"engine":"pocketsphinx 5","model":"en-us","languages":["en-US"],)"
       R"("abilities":["words","phrases"],"cancel_ms":100})"},
      {Progress{7, 0.25}, R"({"type":"progress","id":7,"fraction":0.25})"},
      {Partial{7, "and so"}, R"({"type":"partial","id":7,"text":"and so"})"},
      {Result{.id = 7,
              .text = "and so",
              .words = {{"and", 5600, 9600, 0.75}, {"so", 9600, 16000, 1}},
              .phrases = {{"end note", 0.5, 0, 4800}},
              .no_speech_probability = 0.125,
              .suspect = true,
              .timings = {{"decode", 0.5}},
              .suspect_reason = "it repeats itself",
              .annotations = {"(music)"},
              .engine = "whisper.cpp 1.9.3",
              .model = "base-q8_0",
              .language = "en"},
       R"({"type":"result","id":7,"text":"and so","words":[)"
       R"({"text":"and","start_frame":5600,"end_frame":9600,"confidence":0.75},)"
       R"({"text":"so","start_frame":9600,"end_frame":16000,"confidence":1}],)"
       R"("phrases":[{"phrase":"end note","start_frame":0,"end_frame":4800,"confidence":0.5}],)"
       R"("no_speech_probability":0.125,"suspect":true,"timings":{"decode":0.5},)"
       R"json("suspect_reason":"it repeats itself","annotations":["(music)"],"engine":"whisper.cpp 1.9.3",)json"
       R"("model":"base-q8_0","language":"en"})"},
      {Error{.id = 7, .code = "input_unreadable", .message = "seg_0001.wav is not a WAV file"},
       R"({"type":"error","id":7,"code":"input_unreadable","message":"seg_0001.wav is not a WAV file","fatal":false})"},
      {Error{.code = "model_missing", .message = "no model", .fatal = true},
       R"({"type":"error","code":"model_missing","message":"no model","fatal":true})"},
      {Pong{3}, R"({"type":"pong","nonce":3})"},
      {Job{.id = 7,
           .wav = "/s/seg_0001.wav",
           .range = FrameRange{0, 16000},
           .language = "en-US",
           .prompt = "and so",
           .phrases = {"end note"},
           .vocabulary = {"Kovacs"},
           .session = "20261122_154501",
           .segment_index = 1,
           .attempt = 2,
           .interim = true},
       R"({"type":"job","id":7,"wav":"/s/seg_0001.wav","start_frame":0,"end_frame":16000,"language":"en-US",)"
       R"("prompt":"and so","phrases":["end note"],"vocabulary":["Kovacs"],"session":"20261122_154501","segment_index":1,"attempt":2,)"
       R"("interim":true})"},
      {Cancel{7}, R"({"type":"cancel","id":7})"},
      {Ping{3}, R"({"type":"ping","nonce":3})"},
      {Shutdown{}, R"({"type":"shutdown"})"},
  };
}

std::string framed(std::string_view json) {
  std::string frame;
  for (std::size_t i = 0; i < 4; ++i) frame += static_cast<char>(json.size() >> (8 * i) & 0xFF);
  return frame += json;
}

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

testing::Matcher<const std::function<void()>&> refuses(std::string_view with) {
  return testing::ResultOf(
      [](const std::function<void()>& call) -> std::string {
        try {
          call();
          return "accepted";
        } catch (const RecorderError& error) {
          return error.code() == Errc::worker_protocol ? error.what() : "another error";
        }
      },
      testing::HasSubstr(std::string(with)));
}

std::function<void()> decoding(std::string json) {
  return [json = std::move(json)] { decode(json); };
}

TEST(WorkerProtocol, WritesTheGoldenFrames) {
  for (const auto& [message, json] : golden_frames()) EXPECT_EQ(encode(message), framed(json));
}

TEST(WorkerProtocol, ReadsTheGoldenFrames) {
  for (const auto& [message, json] : golden_frames()) EXPECT_EQ(decode(json), message) << json;
}

TEST(WorkerProtocol, PassesOverFieldsOfLaterVersions) {
  EXPECT_EQ(decode(R"({"type":"pong","nonce":3,"mood":"fine"})"), Message(Pong{3}));
}

TEST(WorkerProtocol, FillsInWhatAMinimalWorkerLeavesOut) {
  EXPECT_EQ(decode(R"({"type":"hello","protocol":1,"engine":"x"})"), Message(Hello{.engine = "x"}));
  EXPECT_EQ(decode(R"({"type":"result","id":1,"text":"yes","no_speech_probability":null})"),
            Message(Result{.id = 1, .text = "yes"}));
  EXPECT_EQ(decode(R"({"type":"error","message":"no"})"), Message(Error{.message = "no"}));
}

TEST(WorkerProtocol, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(decoding(R"({"type":"result","id":1})"), refuses(R"("text" is missing in a message of type "result")"));
  EXPECT_THAT(decoding(R"({"type":"pong","nonce":-1})"), refuses(R"("nonce" in a message of type "pong")"));
  EXPECT_THAT(decoding(R"({"type":"pong","nonce":1.5})"), refuses("whole number"));
  EXPECT_THAT(decoding(R"({"type":"pong","nonce":"1"})"), refuses("whole number"));
  EXPECT_THAT(decoding(R"({"type":"progress","id":1,"fraction":1e999})"), refuses("fraction"));
  EXPECT_THAT(decoding(R"({"type":"job","id":1,"wav":"x","start_frame":5,"end_frame":4})"), refuses("end_frame"));
  EXPECT_THAT(decoding(R"({"type":"job","id":1,"wav":"x","start_frame":5})"), refuses("end_frame"));
  EXPECT_THAT(decoding(R"({"type":"job","id":1,"wav":"x","start_frame":-5,"end_frame":4})"), refuses("start_frame"));
  EXPECT_THAT(decoding(R"({"type":"result","id":1,"text":"","words":{}})"), refuses("words"));
  EXPECT_THAT(decoding(R"({"type":"result","id":1,"text":"","words":[1]})"), refuses("words"));
  EXPECT_THAT(decoding(R"({"type":"result","id":1,"text":"","timings":[1]})"), refuses("timings"));
  EXPECT_THAT(decoding(R"({"type":"hello","protocol":1,"engine":"x","cancel_ms":-1})"), refuses("cancel_ms"));
  EXPECT_THAT(decoding(R"({"type":"error","message":"x","fatal":1})"), refuses("fatal"));
}

TEST(WorkerProtocol, RefusesWhatIsNoMessage) {
  EXPECT_THAT(decoding("[]"), refuses("not a JSON object"));
  EXPECT_THAT(decoding("{}"), refuses(R"("type" is missing)"));
  EXPECT_THAT(decoding(R"({"type":"sing"})"), refuses("no message of type"));
  EXPECT_THAT(decoding("Loading model...\n"), refuses("not JSON"));
  EXPECT_THAT(decoding("{\"type\":\"error\",\"message\":\"\xff\"}"), refuses("not JSON"));
  EXPECT_THAT(decoding(std::string(100000, '[')), refuses("not JSON"));
  EXPECT_THAT(decoding(""), refuses("not JSON"));
}

TEST(WorkerProtocol, ClampsAConfidenceToItsRange) {
  EXPECT_EQ(decode(R"({"type":"progress","id":1,"fraction":1.0000001})"), Message(Progress{1, 1}));
}

TEST(WorkerProtocol, RefusesToWriteAFrameThatIsTooLong) {
  EXPECT_THAT([] { encode(Partial{1, std::string(kMaxFrameBytes, 'a')}); }, refuses("too long"));
}

TEST(FrameReader, FindsTheSameMessagesHoweverTheBytesAreCut) {
  std::string stream;
  std::vector<Message> sent;
  for (const auto& [message, json] : golden_frames()) {
    stream += framed(json);
    sent.push_back(message);
  }
  for (std::size_t piece = 1; piece <= stream.size(); piece += 1 + piece / 8) {
    FrameReader reader;
    std::vector<Message> received;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(bytes(std::string_view(stream).substr(at, piece)));
      while (auto message = reader.next()) received.push_back(*message);
    }
    ASSERT_EQ(received, sent) << "in pieces of " << piece;
    EXPECT_TRUE(reader.at_boundary());
  }
}

TEST(FrameReader, RefusesALongFrameBeforeItsBytesAreThere) {
  FrameReader reader;
  reader.feed(bytes(std::string_view("\x01\x00\x00\x01", 4)));
  EXPECT_THAT([&] { reader.next(); }, refuses("16777217 bytes is too long"));
}

TEST(FrameReader, StaysBrokenOnceItThrew) {
  FrameReader reader;
  reader.feed(bytes(framed("x") + framed(R"({"type":"shutdown"})")));
  EXPECT_THAT([&] { reader.next(); }, refuses("not JSON"));
  EXPECT_THAT([&] { reader.next(); }, refuses("broken"));
  EXPECT_THAT([&] { reader.feed(bytes("x")); }, refuses("broken"));
}

TEST(FrameReader, RefusesAnEmptyFrame) {
  FrameReader reader;
  reader.feed(bytes(framed("")));
  EXPECT_THAT([&] { reader.next(); }, refuses("not JSON"));
}

TEST(FrameReader, KnowsThatAFrameWasCutShort) {
  FrameReader reader;
  reader.feed(bytes(framed(R"({"type":"shutdown"})").substr(0, 10)));
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_FALSE(reader.at_boundary());
}

}  // namespace
}  // namespace dictum::transcription
