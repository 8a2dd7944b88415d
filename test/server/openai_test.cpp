#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <numbers>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "client.hpp"
#include "dictum/sessions.hpp"
#include "json_text.hpp"
#include "server/form_reader.hpp"
#include "server/places.hpp"
#include "server/realtime_items.hpp"
#include "server/realtime_protocol.hpp"
#include "server/server.hpp"
#include "server/transcription_form.hpp"
#include "server/waiting_places.hpp"
#include "support/sounds.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::server {
namespace {

using test::Client;
using test::parse;
using test::text_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr const char* kForm = "multipart/form-data; boundary=\"frontier\"";

std::string field(std::string_view name, std::string_view value) {
  return fmt::format("--frontier\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", name, value);
}

std::string file_field(std::string_view content, std::string_view name = "speech.wav") {
  return fmt::format(
      "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\nContent-Type: audio/wav\r\n\r\n"
      "{}\r\n",
      name, content);
}

constexpr const char* kEnd = "--frontier--\r\n";

/// The parts of a form, as text.
struct Collected final : FormReader::Parts {
  void begin(std::string name, std::string file_name) override { parts += "[" + name + "|" + file_name + "|"; }
  void content(std::string_view bytes) override { parts += bytes; }
  void end() override { parts += "]"; }
  std::string parts;
};

std::string parts_of(std::string_view form, std::size_t piece) {
  Collected collected;
  FormReader reader(kForm, collected);
  for (std::size_t at = 0; at < form.size(); at += piece) reader.take(form.substr(at, piece));
  reader.finish();
  return collected.parts;
}

std::string complaint_about(std::string_view type, std::string_view form) {
  try {
    Collected collected;
    FormReader reader(type, collected);
    reader.take(form);
    reader.finish();
    return "";
  } catch (const RecorderError& error) {
    return error.what();
  }
}

TEST(FormReaderTest, GivesTheSamePartsHoweverTheFormArrives) {
  const std::string form = "preamble\r\n" + field("model", "m") +
                           file_field("\r\n--frontie\r\n--\r\n\r\nx", "a \\\"b\\\".wav") + field("empty", "") + kEnd +
                           "epilogue";
  const std::string parts = "[model||m][file|a \"b\".wav|\r\n--frontie\r\n--\r\n\r\nx][empty||]";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, form.size()}) {
    EXPECT_EQ(parts_of(form, piece), parts) << piece;
  }
}

TEST(FormReaderTest, RefusesWhatIsNoForm) {
  EXPECT_THAT(complaint_about("application/json", ""), HasSubstr("has to be a form"));
  EXPECT_THAT(complaint_about("multipart/form-data", ""), HasSubstr("has to be a form"));
  EXPECT_THAT(complaint_about(kForm, "something else"), HasSubstr("does not have the boundary"));
  EXPECT_THAT(complaint_about(kForm, field("a", "b")), HasSubstr("has no end"));
  EXPECT_THAT(complaint_about(kForm, "--frontier__"), HasSubstr("followed by something else"));
  EXPECT_THAT(complaint_about(kForm, "--frontier\r\nX: y\r\n\r\n"), HasSubstr("has no name"));
  EXPECT_THAT(complaint_about(kForm, "--frontier\r\n" + std::string(5000, 'x')), HasSubstr("too long a header"));
  std::string many;
  for (int i = 0; i < 129; ++i) many += field("a", "b");
  EXPECT_THAT(complaint_about(kForm, many), HasSubstr("too many parts"));
}

class Forms : public testing::Test {
 protected:
  TranscriptionRequest read(const std::string& fields) {
    TranscriptionForm form(kForm, folder.path(), [](std::string_view name) { return name == "whisper-1"; });
    form.take(fields + kEnd);
    form.finish();
    return form.request();
  }

  /// The field that is refused, and why.
  std::pair<std::string, std::string> refused(const std::string& fields) {
    try {
      read(fields);
      return {};
    } catch (const FieldError& error) {
      return {error.field(), error.what()};
    }
  }

  test::TemporaryDirectory folder;
};

TEST_F(Forms, HaveEveryFieldAndTheSoundInAFileWithoutAName) {
  TranscriptionForm form(kForm, folder.path(), [](std::string_view) { return true; });
  form.take(field("model", "whisper-1") + file_field("sound") + field("language", "de") +
            field("prompt", "Kubernetes, Frau Weiß.") + field("keywords[]", "etcd") +
            field("response_format", "verbose_json") + field("temperature", "0.0") +
            field("timestamp_granularities[]", "word") + field("stream", "false") + kEnd);
  form.finish();
  const TranscriptionRequest& request = form.request();
  EXPECT_EQ(request.file_name, "speech.wav");
  EXPECT_EQ(request.language, "de");
  EXPECT_THAT(request.vocabulary, ElementsAre("Kubernetes", "Frau Weiß", "etcd"));
  EXPECT_EQ(request.format, TranscriptionRequest::Format::verbose_json);
  EXPECT_TRUE(request.has_words);
  EXPECT_FALSE(request.has_segments);
  EXPECT_FALSE(request.is_streamed);
  std::string sound(9, '\0');
  const UniqueFD file = form.take_file();
  sound.resize(static_cast<std::size_t>(::read(file.get(), sound.data(), sound.size())));
  EXPECT_EQ(sound, "sound");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(Forms, AreRefusedWithTheFieldThatIsWrong) {
  const std::string file = file_field("sound");
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"model", field("model", "gpt-9")},
      {"language", field("language", "en; rm")},
      {"response_format", field("response_format", "diarized_json")},
      {"temperature", field("temperature", "0.4")},
      {"timestamp_granularities[]", field("timestamp_granularities[]", "letter")},
      {"timestamp_granularities[]", field("timestamp_granularities[]", "word")},
      {"stream", field("stream", "yes")},
      {"stream", field("stream", "true") + field("response_format", "srt")},
      {"chunking_strategy", field("chunking_strategy", "{}")},
      {"include[]", field("include[]", "logprobs")},
      {"prompt", field("prompt", "\xff")},
      {"keywords[]", field("keywords[]", std::string(101, 'a'))},
      {"language", field("language", "en") + field("language", "de")},
      {"file", file_field("another")},
      {"prompt", field("prompt", std::string(70'000, 'a'))},
  };
  for (const auto& [name, fields] : wrong) {
    const auto [named, sentence] = refused(file + fields);
    EXPECT_EQ(named, name) << fields.substr(0, 200);
    EXPECT_THAT(sentence, HasSubstr(name == "stream" ? "tream" : name.substr(0, name.find('[')))) << sentence;
  }
  EXPECT_EQ(refused(field("model", "whisper-1")).first, "file");
  EXPECT_EQ(refused(file_field("")).first, "file");
}

TEST_F(Forms, PartALongPromptBetweenWords) {
  std::string prompt;
  for (int i = 0; i < 40; ++i) prompt += "word ";
  for (const std::string& term : terms_of(prompt)) {
    EXPECT_LE(term.size(), 100U);
    EXPECT_THAT(term, StartsWith("word"));
    EXPECT_THAT(term, testing::EndsWith("word"));
  }
}

TEST_F(Forms, PartAPromptInAWritingWithoutSpacesBetweenCharacters) {
  EXPECT_THAT(terms_of("東京、大阪。京都！ Kyoto"), ElementsAre("東京", "大阪", "京都", "Kyoto"));
  std::string prompt;
  for (int i = 0; i < 70; ++i) prompt += "漢";
  const auto terms = terms_of(prompt);
  ASSERT_THAT(terms, testing::SizeIs(3));
  EXPECT_EQ(terms[0].size(), 99U);
  EXPECT_EQ(terms[0] + terms[1] + terms[2], prompt);
}

TEST(PlacesTest, AreGivenBackAlsoAfterTheirOwnerIsGone) {
  std::optional<Places> places(1);
  int freed = 0;
  places->set_on_free([&] { ++freed; });
  {
    const auto place = places->take();
    EXPECT_TRUE(place);
    EXPECT_FALSE(places->take());
  }
  EXPECT_EQ(freed, 1);
  const auto place = places->take();
  EXPECT_TRUE(place);
  places->set_on_free(nullptr);
  places.reset();
}

// --- The Realtime API ------------------------------------------------------------------------------------------------

bool is_whisper(std::string_view name) {
  return name == "whisper-1";
}

/// The settings after an update, in the shape of the beta or not.
RealtimeSettings updated(const std::string& session, bool is_beta = false) {
  RealtimeSettings settings = default_realtime_settings({});
  update_settings(settings, {is_beta, parse(session).as_object()}, is_whisper);
  return settings;
}

/// The field that is refused.
std::string refused_field(const auto& action) {
  try {
    action();
    return "nothing";
  } catch (const FieldError& error) {
    EXPECT_THAT(error.what(), testing::EndsWith("."));
    return error.field();
  }
}

TEST(RealtimeProtocol, ReadsASessionInBothShapes) {
  const RealtimeSettings now = updated(
      R"({"type":"transcription","include":null,"audio":{"input":{"format":{"type":"audio/pcm","rate":24000},
          "transcription":{"model":"whisper-1","language":"de","prompt":"Weiß","keywords":["etcd"]},"noise_reduction":null,
          "turn_detection":{"type":"server_vad","threshold":0.6,"prefix_padding_ms":300,"silence_duration_ms":700,
                            "create_response":false}}}})");
  EXPECT_EQ(now.turn_detection, (RealtimeSettings::TurnDetection{0.6, 300, 700}));
  RecorderConfig config;
  config.transcription.vocabulary = {"Dictum"};
  adapt(config, now);
  EXPECT_EQ(config.vad.threshold, 0.6);
  EXPECT_EQ(config.vad.pre_roll_ms, 300);
  EXPECT_EQ(config.vad.min_silence_ms, 700);
  EXPECT_EQ(config.transcription.language, "de");
  EXPECT_THAT(config.transcription.vocabulary, ElementsAre("Weiß", "etcd", "Dictum"));
  config.validate();

  const RealtimeSettings before = updated(
      R"({"input_audio_format":"g711_ulaw","input_audio_transcription":{"model":"whisper-1"},"turn_detection":null})",
      true);
  EXPECT_EQ(before.format, RealtimeSettings::Format::pcmu);
  EXPECT_EQ(before.sample_rate(), 8000);
  EXPECT_FALSE(before.turn_detection);
  // What the server says of a session is what a client may send back.
  for (const bool is_beta : {false, true}) {
    boost::json::object shown = session_json(now, "sess_1", is_beta);
    shown.erase("id");
    shown.erase("object");
    RealtimeSettings again = default_realtime_settings({});
    update_settings(again, {is_beta, shown}, is_whisper);
    EXPECT_EQ(again, now);
  }
}

TEST(RealtimeProtocol, NamesTheFieldThatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"session.type", R"({"type":"realtime"})"},
      {"session.voice", R"({"voice":"alloy"})"},
      {"session.turn_detection", R"({"turn_detection":null})"},
      {"session.include", R"({"include":["item.input_audio_transcription.logprobs"]})"},
      {"session.audio.output", R"({"audio":{"output":{}}})"},
      {"session.audio.input", R"({"audio":{"input":7}})"},
      {"session.audio.input.format.type", R"({"audio":{"input":{"format":{"type":"audio/opus"}}}})"},
      {"session.audio.input.format.rate", R"({"audio":{"input":{"format":{"rate":16000}}}})"},
      {"session.audio.input.transcription.model", R"({"audio":{"input":{"transcription":{"model":"gpt-9"}}}})"},
      {"session.audio.input.transcription.delay", R"({"audio":{"input":{"transcription":{"delay":"low"}}}})"},
      {"session.audio.input.noise_reduction", R"({"audio":{"input":{"noise_reduction":{"type":"near_field"}}}})"},
      {"session.audio.input.turn_detection.type", R"({"audio":{"input":{"turn_detection":{"type":"semantic_vad"}}}})"},
      {"session.audio.input.turn_detection.threshold", R"({"audio":{"input":{"turn_detection":{"threshold":2}}}})"},
      {"session.audio.input.turn_detection.silence_duration_ms",
       R"({"audio":{"input":{"turn_detection":{"silence_duration_ms":0}}}})"},
      {"session.audio.input.turn_detection.create_response",
       R"({"audio":{"input":{"turn_detection":{"create_response":true}}}})"},
  };
  for (const auto& [field, session] : wrong) EXPECT_EQ(refused_field([&] { updated(session); }), field);
  EXPECT_EQ(refused_field([] { updated(R"({"audio":{}})", true); }), "session.audio");
  EXPECT_EQ(refused_field([] { updated(R"({"input_audio_format":"opus"})", true); }), "session.input_audio_format");

  const std::vector<std::pair<std::string, std::string>> messages = {
      {"", "[]"},
      {"type", "{}"},
      {"type", R"({"type":"response.create"})"},
      {"event_id", R"({"type":"input_audio_buffer.clear","event_id":7})"},
      {"message.item", R"({"type":"input_audio_buffer.clear","item":"x"})"},
      {"session", R"({"type":"session.update"})"},
      {"audio", R"({"type":"input_audio_buffer.append"})"},
      {"audio", R"({"type":"input_audio_buffer.append","audio":"?"})"},
  };
  for (const auto& [field, message] : messages) {
    EXPECT_EQ(refused_field([&] {
                std::string id;
                parse_realtime_message(message, id);
              }),
              field);
  }
  std::string id;
  EXPECT_EQ(refused_field([&] { parse_realtime_message(R"({"type":"x","event_id":"mine"})", id); }), "type");
  EXPECT_EQ(id, "mine");
}

TEST(RealtimeProtocol, ReadsAudio) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9v"), "foo");
  EXPECT_EQ(decode_base64("+/+/"), "\xfb\xff\xbf");
  for (const char* wrong : {"Z", "Zg", "Zg=", "Zh==", "Zm9=v", "Zg==Zg==", "Zm 9", "===="}) {
    EXPECT_FALSE(decode_base64(wrong)) << wrong;
  }
  using Format = RealtimeSettings::Format;
  EXPECT_THAT(decode_realtime_audio(Format::pcm16, std::string("\0\x40\0\x80", 4)), ElementsAre(0.5F, -1.F));
  EXPECT_EQ(refused_field([] { decode_realtime_audio(Format::pcm16, "abc"); }), "audio");
  const auto in_16_bits = [](Format format, std::string_view bytes) {
    std::vector<int> all;
    for (const float sample : decode_realtime_audio(format, bytes)) all.push_back(static_cast<int>(sample * 32768));
    return all;
  };
  EXPECT_THAT(in_16_bits(Format::pcmu, std::string("\x00\x80\xff\x7f\xce", 5)), ElementsAre(-32124, 32124, 0, 0, 988));
  EXPECT_THAT(in_16_bits(Format::pcma, "\xaa\x2a\xd5\x55"), ElementsAre(32256, -32256, 8, -8));
}

/// What the client gets, a line for each message.
std::string lines_of(const RealtimeItems::Messages& messages) {
  std::string all;
  for (const auto& message : messages) {
    std::string type = text_of(message.at("type"));
    all += type.substr(type.rfind('.') + 1);
    for (const char* field : {"audio_start_ms", "audio_end_ms", "previous_item_id", "delta", "transcript"}) {
      const auto* const value = message.if_contains(field);
      if (value == nullptr || type == "conversation.item.added" || type == "conversation.item.done") continue;
      all += " " + (value->is_string() ? text_of(*value) : json::to_line(*value));
    }
    const auto* const item = message.if_contains("item_id");
    if (item != nullptr) all += " " + text_of(*item);
    all += "\n";
  }
  return all;
}

/// A session of 1000 frames a second.
struct RealtimeSession {
  explicit RealtimeSession(bool is_manual)
      : items({.session = "s", .sample_rate = 1000, .is_manual = is_manual, .margin = 1000, .is_beta = false}) {}

  std::string detected(std::uint32_t index, Frame start) {
    return take(start + 100, SpeechDetected{.segment_index = index, .start_frame = start});
  }
  std::string ended(std::uint32_t index, Frame start, Frame end, bool kept = true) {
    return take(end - 100, SpeechEnded{.segment_index = index, .kept = kept, .start_frame = start, .end_frame = end});
  }
  std::string text(std::uint32_t index, const std::string& said, bool success = true) {
    TranscriptionComplete complete;
    complete.segment_index = index;
    complete.text = said;
    complete.success = success;
    return take(0, complete);
  }
  std::string level(Frame frame) { return take(frame, AudioLevel{}); }
  std::string take(Frame frame, EventBody body) {
    Event event;
    event.frame = frame;
    event.body = std::move(body);
    return lines_of(items.take(event));
  }

  RealtimeItems items;
};

TEST(RealtimeItemsTest, AreTheSegmentsWhereTheServerDetectsTurns) {
  RealtimeSession session(false);
  EXPECT_EQ(session.detected(0, 500), "speech_started 500 item_s_0\n");
  EXPECT_EQ(session.ended(0, 500, 2000), "speech_stopped 1900 item_s_0\ncommitted null item_s_0\nadded\ndone\n");
  EXPECT_EQ(session.detected(1, 3000), "speech_started 3000 item_s_1\n");
  EXPECT_EQ(session.text(0, "one"), "delta one item_s_0\ncompleted one item_s_0\n");
  EXPECT_EQ(session.text(0, "another"), "");
  EXPECT_EQ(session.ended(1, 3000, 3200, false), "speech_stopped 3100 item_s_1\n");
  session.detected(2, 4000);
  EXPECT_EQ(session.ended(2, 4000, 5000), "speech_stopped 4900 item_s_2\ncommitted item_s_0 item_s_2\nadded\ndone\n");
  EXPECT_EQ(session.text(2, "", false), "failed item_s_2\n");
  session.detected(3, 6000);
  session.items.clear(6500);
  EXPECT_EQ(session.ended(3, 6000, 7000), "speech_stopped 6900 item_s_3\n");
  session.detected(4, 8000);
  session.ended(4, 8000, 9000);
  EXPECT_EQ(lines_of(session.items.end()), "failed item_s_4\n");
}

TEST(RealtimeItemsTest, AreWhatTheClientCommitsWithTheTextsOfAllItsSegments) {
  RealtimeSession session(true);
  EXPECT_TRUE(session.items.is_empty(0));
  EXPECT_EQ(session.detected(0, 500) + session.ended(0, 500, 1500) + session.detected(1, 2000), "");
  EXPECT_FALSE(session.items.is_empty(2500));
  EXPECT_EQ(lines_of(session.items.commit(2500, {})), "committed null item_s_0\nadded\ndone\n");
  session.items.skip(2500, 2000);
  EXPECT_TRUE(session.items.is_empty(4500));
  EXPECT_EQ(session.text(0, "one"), "");
  EXPECT_EQ(session.level(4000), "");  // the second segment has no text yet
  EXPECT_EQ(session.ended(1, 2000, 3000), "");
  EXPECT_EQ(session.text(1, "two"), "delta one two item_s_0\ncompleted one two item_s_0\n");

  // What is cleared has no item, whether its text comes before or after.
  session.detected(2, 5000);
  session.items.clear(6000);
  session.items.skip(6000, 2000);
  session.ended(2, 5000, 6500);
  session.text(2, "three");
  EXPECT_EQ(lines_of(session.items.commit(9000, {})), "committed item_s_0 item_s_1\nadded\ndone\n");
  EXPECT_EQ(session.level(9999), "");  // the detector may still hold some of it
  EXPECT_EQ(session.level(10'000), "completed  item_s_1\n");

  session.detected(3, 11'000);
  session.ended(3, 11'000, 12'000);
  session.items.commit(13'000, {});
  EXPECT_EQ(lines_of(session.items.end()), "failed item_s_2\n");
}

TEST(RealtimeItemsTest, HaveTheSpeechThatATurnBeginsWithAlsoWhereItsPreRollIsInTheSilenceBefore) {
  RealtimeSession session(true);
  session.detected(0, 500);
  session.items.commit(2500, {});
  session.items.skip(2500, 2000);
  session.ended(0, 500, 2900);
  EXPECT_EQ(session.text(0, "one") + session.level(3500), "delta one item_s_0\ncompleted one item_s_0\n");
  session.detected(1, 4000);  // the client has sent what is from 4500 on
  session.items.commit(6000, {});
  session.items.skip(6000, 2000);
  session.ended(1, 4000, 6400);
  EXPECT_EQ(session.text(1, "two") + session.level(7000), "delta two item_s_1\ncompleted two item_s_1\n");
}

TEST(RealtimeItemsTest, ThatTheClientCommitsAreEmptyWhereTheDetectorFindsNothing) {
  RealtimeSession session(false);
  const boost::json::object nothing{{"type", "error"}};
  EXPECT_EQ(lines_of(session.items.commit(2000, nothing)), "");
  session.items.skip(2000, 2000);
  EXPECT_EQ(session.level(2999), "");  // the detector may still hold some of it
  EXPECT_EQ(session.level(3000), "error\n");
  session.detected(0, 4000);
  session.items.commit(6000, nothing);
  EXPECT_EQ(session.level(7500), "");  // it is being spoken
  EXPECT_EQ(session.ended(0, 4000, 6300), "speech_stopped 4200 item_s_0\ncommitted null item_s_0\nadded\ndone\n");
  EXPECT_EQ(session.level(9000), "");
  session.items.commit(10'000, nothing);
  EXPECT_EQ(lines_of(session.items.end()), "failed item_s_0\nerror\n");
}

TEST(RealtimeItemsTest, GiveTimesOfWhatTheClientSent) {
  RealtimeSession session(false);
  session.items.skip(1000, 500);
  EXPECT_EQ(session.detected(0, 900), "speech_started 900 item_s_0\n");
  EXPECT_THAT(session.ended(0, 900, 1300), StartsWith("speech_stopped 1000 "));
  EXPECT_EQ(session.detected(1, 2000), "speech_started 1500 item_s_1\n");
}

// --- The server ------------------------------------------------------------------------------------------------------

/// Answers at once, or never.
class Answering final : public Transcriber {
 public:
  explicit Answering(bool is_silent) : is_silent_(is_silent) {}
  void transcribe(TranscriptionJob job, Done done) override {
    if (is_silent_) return;
    TranscriptionOutcome outcome;
    outcome.text = fmt::format("text {}", job.segment_index);
    outcome.words = {{.text = "text", .start_frame = job.start_frame, .end_frame = job.end_frame, .confidence = 1}};
    outcome.language = job.language.empty() ? "en" : job.language;
    done(std::move(outcome));
  }
  void abandon() override {}

 private:
  const bool is_silent_;
};

/// Two tones with silence around them: two segments.
std::string two_tones() {
  test::RawWAV wav;
  const auto add = [&wav](double seconds, double amplitude) {
    const auto frames = static_cast<int>(seconds * wav.sample_rate);
    for (int i = 0; i < frames; ++i) {
      const auto sample = static_cast<std::int16_t>(amplitude * std::sin(2 * std::numbers::pi * 440 * i / 16000));
      wav.data += static_cast<char>(sample & 0xff);
      wav.data += static_cast<char>(sample >> 8);
    }
  };
  for (int i = 0; i < 2; ++i) {
    add(1, 0);
    add(0.6, 12000);
  }
  add(1.5, 0);
  wav.announced_bytes = static_cast<std::uint32_t>(wav.data.size());
  return wav.bytes();
}

class OpenAIServer : public testing::Test {
 protected:
  void start(ServerSettings settings = {}, bool is_silent = false) {
    RecorderConfig config;
    config.vad.detector = "energy";
    config.custom_transcriber = [this, is_silent] {
      if (before_start) before_start();
      return std::make_unique<Answering>(is_silent);
    };
    config.session.root = folder.path();
    server.emplace(std::move(config), std::move(settings));
    url = server->url();
  }

  /// Sends the header of an upload, with what is to follow it.
  void begin(Client& client, const std::string& body, const std::string& headers = "") const {
    client.request("POST", "/v1/audio/transcriptions",
                   fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n{}", kForm, body.size(), headers));
  }

  Client::Response transcribe(const std::string& fields) const {
    const std::string body = file_field(two_tones()) + fields + kEnd;
    Client client(url);
    begin(client, body);
    client.send(body);
    return client.response();
  }

  /// Waits until a metric has a value.
  bool comes_to(std::string_view metric, int value) const {
    const std::string line = fmt::format("\n{} {}\n", metric, value);
    for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;) {
      if (test::get(url, "/metrics").body.find(line) != std::string::npos) return true;
    }
    return false;
  }

  /// The message for a client of OpenAI's.
  static std::string message(const Client::Response& response, int status, const std::string& code) {
    EXPECT_EQ(response.status, status) << response.body;
    const auto problem = parse(response.body);
    EXPECT_EQ(text_of(problem.at("code")), code);
    EXPECT_EQ(problem.at("error").at("message"), problem.at("detail"));
    EXPECT_EQ(problem.at("error").at("code"), problem.at("code"));
    return text_of(problem.at("detail"));
  }

  test::TemporaryDirectory folder;
  std::function<void()> before_start;  // of a session; on the recorder's thread
  std::optional<Server> server;
  std::string url;
};

using Uploads = OpenAIServer;

TEST_F(Uploads, AreTranscribedInEachFormatAndNothingIsKept) {
  start();
  EXPECT_EQ(text_of(parse(transcribe("").body).at("text")), "text 0 text 1");
  const auto text = transcribe(field("response_format", "text"));
  EXPECT_EQ(text.body, "text 0 text 1\n");
  EXPECT_EQ(text.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_THAT(transcribe(field("response_format", "srt")).body, StartsWith("1\n00:00:0"));
  EXPECT_THAT(transcribe(field("response_format", "vtt")).body, StartsWith("WEBVTT\n\n00:00:0"));
  const auto verbose =
      parse(transcribe(field("response_format", "verbose_json") + field("language", "fr") +
                       field("timestamp_granularities[]", "word") + field("timestamp_granularities[]", "segment"))
                .body);
  EXPECT_EQ(verbose.at("language"), "fr");
  EXPECT_NEAR(verbose.at("duration").to_number<double>(), 4.7, 0.01);
  EXPECT_EQ(verbose.at("words").as_array().size(), 2U);
  const auto& second = verbose.at("segments").at(1);
  EXPECT_EQ(second.at("text"), "text 1");
  for (const char* number : {"avg_logprob", "compression_ratio", "no_speech_prob"}) {
    EXPECT_TRUE(second.at(number).is_number()) << number;
  }
  EXPECT_NEAR(second.at("start").to_number<double>(), 2.6, 0.15);
  EXPECT_NEAR(second.at("end").to_number<double>(), 3.2, 0.15);

  EXPECT_EQ(parse(test::get(url, "/api/v1/sessions").body).at("sessions").as_array().size(), 0U);
  server.reset();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(Uploads, AreStreamedAsTextsThatAddUpToTheLast) {
  start();
  const std::string body = file_field(two_tones()) + field("stream", "true") + kEnd;
  Client client(url);
  begin(client, body);
  client.send(body);
  EXPECT_EQ(client.head().headers.at("content-type"), "text/event-stream");
  std::string sum;
  std::string last;
  while (const auto event = client.event()) {
    const auto data = parse(event->data);
    if (data.at("type") == "transcript.text.delta") sum += text_of(data.at("delta"));
    if (data.at("type") == "transcript.text.done") last = text_of(data.at("text"));
  }
  EXPECT_EQ(sum, "text 0 text 1");
  EXPECT_EQ(last, sum);
}

TEST_F(Uploads, ThatAreNoSoundAreTheClientsFault) {
  start();
  const std::string body = file_field("this is a text", "notes.txt") + kEnd;
  Client client(url);
  begin(client, body);
  client.send(body);
  EXPECT_THAT(message(client.response(), 400, "input_unreadable"), StartsWith("'notes.txt' is not a sound file"));
  EXPECT_EQ(transcribe("").status, 200);
}

TEST_F(Uploads, WithAWrongFieldAreRefusedByItsName) {
  start();
  const auto response = transcribe(field("include[]", "logprobs"));
  EXPECT_THAT(message(response, 400, "invalid_argument"), HasSubstr("\"include[]\" is not supported"));
  EXPECT_EQ(parse(response.body).at("error").at("param"), "include[]");
}

TEST_F(Uploads, AreRefusedByTheirHeaderBeforeTheBodyComes) {
  ServerSettings settings;
  settings.limits.upload_bytes = 1000;
  const test::TemporaryDirectory tokens;
  const std::string token = make_token(tokens / "tokens", Scopes().with(Scope::transcribe));
  settings.tokens.add_file(tokens / "tokens");
  start(std::move(settings));
  Client stranger(url);
  stranger.request("POST", "/v1/audio/transcriptions",
                   fmt::format("Content-Type: {}\r\nContent-Length: 500\r\n", kForm));
  message(stranger.response(), 401, "token_missing");
  Client large(url);
  large.request(
      "POST", "/v1/audio/transcriptions",
      fmt::format("Content-Type: {}\r\nAuthorization: Bearer {}\r\nContent-Length: 10000000000\r\n", kForm, token));
  message(large.response(), 413, "body_too_large");
  Client json(url);
  json.request(
      "POST", "/v1/audio/transcriptions",
      fmt::format("Content-Type: application/json\r\nAuthorization: Bearer {}\r\nContent-Length: 9\r\n", token));
  message(json.response(), 415, "unsupported_media_type");
}

TEST_F(Uploads, WithoutALengthAreCountedWhileTheyCome) {
  ServerSettings settings;
  settings.limits.upload_bytes = 200'000;
  start(std::move(settings));
  Client client(url);
  client.request("POST", "/v1/audio/transcriptions",
                 fmt::format("Content-Type: {}\r\nTransfer-Encoding: chunked\r\n", kForm));
  const std::string begin = file_field(std::string(1000, 'x'));
  client.send(fmt::format("{:x}\r\n{}\r\n", begin.size() - 2, begin.substr(0, begin.size() - 2)));
  const std::string piece(50'000, 'x');
  for (int i = 0; i < 6; ++i) client.send(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece));
  message(client.response(), 413, "body_too_large");
}

TEST_F(Uploads, ThatComeTooSlowlyAreCutOff) {
  ServerSettings settings;
  settings.limits.request = 50ms;
  start(std::move(settings));
  Client client(url);
  begin(client, std::string(1000, 'x'));
  client.send("--frontier\r\n");
  EXPECT_EQ(client.rest(), "");
}

TEST_F(Uploads, BeyondTheLimitAreToldWhenToComeAgainAndAClientThatIsGoneMakesRoom) {
  ServerSettings settings;
  settings.limits.uploads = 1;
  start(std::move(settings), true);
  std::optional<Client> first(url);
  const std::string body = file_field(two_tones()) + kEnd;
  begin(*first, body, "Expect: 100-continue\r\n");
  EXPECT_EQ(first->head().status, 100);  // it has its place
  first->send(body);
  const auto busy = transcribe("");
  message(busy, 429, "too_many_transcriptions");
  EXPECT_EQ(busy.headers.at("retry-after"), "5");
  first.reset();  // its text would never come
  for (int status = 429; status == 429;) {
    std::optional<Client> next(url);
    begin(*next, body, "Expect: 100-continue\r\n");
    status = next->head().status;
  }
}

TEST_F(OpenAIServer, ListsTheModelsThatItHas) {
  start();
  const auto listed = parse(test::get(url, "/v1/models").body);
  EXPECT_EQ(listed.at("data").at(0).at("id"), "custom");
  EXPECT_EQ(parse(test::get(url, "/v1/models/whisper-1").body).at("object"), "model");
  EXPECT_THAT(message(test::get(url, "/v1/models/gpt-9"), 404, "model_not_found"), HasSubstr("\"gpt-9\""));
  message(test::get(url, "/v1/chat/completions"), 404, "not_found");
}

TEST_F(OpenAIServer, AnswersEachMessageOfARealtimeSession) {
  ServerSettings settings;
  const test::TemporaryDirectory tokens;
  const std::string token = make_token(tokens / "tokens", Scopes().with(Scope::transcribe));
  settings.tokens.add_file(tokens / "tokens");
  start(std::move(settings));
  const std::string bearer = "Authorization: Bearer " + token + "\r\n";
  message(test::get(url, "/v1/realtime?intent=transcription", bearer), 426, "upgrade_required");
  Client other(url);
  EXPECT_THAT(message(other.upgrade("/v1/realtime?intent=conversation", bearer), 400, "invalid_argument"),
              HasSubstr("one of transcription"));

  Client client(url);
  const auto agreed = client.upgrade("/v1/realtime?intent=transcription",
                                     "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + token + "\r\n");
  ASSERT_EQ(agreed.status, 101);
  EXPECT_EQ(agreed.headers.at("sec-websocket-protocol"), "realtime");
  const auto next = [&] { return parse(client.message().value_or("null")); };
  EXPECT_EQ(next().at("type"), "session.created");
  client.send_text(R"({"type":"input_audio_buffer.commit","event_id":"first"})");
  const auto empty = next();
  EXPECT_EQ(empty.at("error").at("code"), "input_audio_buffer_commit_empty");
  EXPECT_EQ(empty.at("error").at("event_id"), "first");
  client.send_text(R"({"type":"session.update","session":{"voice":"alloy"}})");
  EXPECT_EQ(next().at("error").at("param"), "session.voice");
  client.send_text(R"({"type":"transcription_session.update","session":{"turn_detection":null}})");
  EXPECT_EQ(next().at("type"), "transcription_session.updated");
  client.send_text(R"({"type":"input_audio_buffer.append","audio":"AAAA"})");
  EXPECT_EQ(next().at("error").at("param"), "audio");
  client.send_text(R"({"type":"input_audio_buffer.append","audio":"AAAAAAAA"})");
  client.send_text(R"({"type":"session.update","session":{"audio":{"input":{"format":{"type":"audio/pcma"}}}}})");
  EXPECT_EQ(next().at("error").at("param"), "session");
  client.send_text(R"({"type":"input_audio_buffer.commit"})");
  EXPECT_EQ(next().at("type"), "input_audio_buffer.committed");
  EXPECT_EQ(next().at("type"), "conversation.item.added");
  EXPECT_EQ(next().at("type"), "conversation.item.done");
  const auto completed = next();
  EXPECT_EQ(completed.at("type"), "conversation.item.input_audio_transcription.completed");
  EXPECT_EQ(completed.at("transcript"), "");
  Client silent(url);
  ASSERT_EQ(silent.upgrade("/v1/realtime", bearer).status, 101);
  std::thread stopping([&] { server->stop(); });
  for (Client* each : {&client, &silent}) {  // with audio, and without
    Client::Frame closed;
    while (each->message(&closed)) {
    }
    EXPECT_EQ(closed.close_code(), 1001);
    each->send_frame(Client::Opcode::close, closed.payload);
  }
  stopping.join();
}

TEST_F(OpenAIServer, IsStoppedWhileARealtimeClientDoesNotAnswer) {
  start();
  std::optional<Client> client(url);
  ASSERT_EQ(client->upgrade("/v1/realtime").status, 101);
  EXPECT_TRUE(client->message());
  const std::string second(std::size_t{24'000} * 2 / 3 * 4, 'A');  // of silence
  for (int i = 0; i < 8; ++i) client->send_text(R"({"type":"input_audio_buffer.append","audio":")" + second + "\"}");
  ASSERT_TRUE(comes_to("dictum_streams", 1));
  auto stopped = std::async(std::launch::async, [&] { server->stop(); });
  const auto state = stopped.wait_for(20s);
  client.reset();  // which would end a stop that waits for it
  EXPECT_EQ(state, std::future_status::ready);
}

TEST_F(OpenAIServer, EndsARealtimeSessionWhoseClientWasGoneBeforeItBegan) {
  std::promise<void> beginning;
  std::promise<void> may_begin;
  before_start = [&] {
    beginning.set_value();
    may_begin.get_future().wait();
  };
  ServerSettings settings;
  settings.limits.heartbeat = 10ms;
  start(std::move(settings));
  std::optional<Client> client(url);
  ASSERT_EQ(client->upgrade("/v1/realtime").status, 101);
  client->send_text(R"({"type":"input_audio_buffer.append","audio":"AAAAAAAA"})");
  beginning.get_future().wait();
  client.reset();
  const bool is_gone = comes_to("dictum_connections", 1);  // the one that asks
  may_begin.set_value();
  EXPECT_TRUE(is_gone);
  EXPECT_TRUE(comes_to("dictum_streams", 0));
}

/// A message with so many bytes of silence, in G.711.
std::string append_of(std::size_t bytes) {
  std::string audio(bytes / 3 * 4, '/');  // "////" is three bytes of 255
  if (bytes % 3 == 1) audio += "/w==";
  if (bytes % 3 == 2) audio += "//8=";
  return R"({"type":"input_audio_buffer.append","event_id":"long","audio":")" + audio + "\"}";
}

TEST_F(OpenAIServer, TakesAudioOfARealtimeSessionInMessagesUpToTheOfficialBound) {
  start();
  std::optional<Client> client(url);
  ASSERT_EQ(client->upgrade("/v1/realtime").status, 101);
  const auto next = [&] { return parse(client->message().value_or("null")); };
  EXPECT_EQ(next().at("type"), "session.created");
  client->send_text(
      R"({"type":"session.update","session":{"type":"transcription","audio":{"input":{"turn_detection":null,)"
      R"("format":{"type":"audio/pcmu"}}}}})");
  EXPECT_EQ(next().at("type"), "session.updated");
  constexpr std::size_t kBound = std::size_t{15} << 20;
  client->send_text(append_of(kBound + 1));
  const auto refused = next();
  EXPECT_EQ(refused.at("type"), "error");
  EXPECT_EQ(refused.at("error").at("param"), "audio");
  EXPECT_EQ(refused.at("error").at("event_id"), "long");
  EXPECT_THAT(text_of(refused.at("error").at("message")), HasSubstr("15 MiB at most"));
  client->send_text(append_of(kBound - 1));
  client->send_text(append_of(kBound));
  client->send_text(R"({"type":"input_audio_buffer.commit"})");
  EXPECT_EQ(next().at("type"), "input_audio_buffer.committed");
  client.reset();
  EXPECT_TRUE(comes_to("dictum_streams", 0));
  std::filesystem::path session;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) session = entry.path();
  EXPECT_GE(open_session(session).end_frame, static_cast<Frame>(2 * kBound - 1));
}

TEST_F(OpenAIServer, ClosesARealtimeSessionWithAMessageBeyondTheBound) {
  ServerSettings settings;
  settings.limits.long_message_bytes = 2'000'000;
  start(std::move(settings));
  Client client(url);
  ASSERT_EQ(client.upgrade("/v1/realtime").status, 101);
  client.message();
  client.send_text(append_of(1'600'000));
  Client::Frame closed;
  EXPECT_FALSE(client.message(&closed));
  EXPECT_EQ(closed.close_code(), 1009);
}

TEST_F(OpenAIServer, ALongMessageOfARealtimeSessionGivesItsPlaceBackAlsoWhereItsClientIsGone) {
  ServerSettings settings;
  settings.limits.long_messages = 1;
  settings.limits.message_bytes = 1000;
  start(std::move(settings));
  std::optional<Client> first(url);
  Client second(url);
  for (Client* each : {&*first, &second}) {
    ASSERT_EQ(each->upgrade("/v1/realtime").status, 101);
    each->message();
  }
  // No text in base64, so that a message is answered at once.
  const std::string text = R"({"type":"input_audio_buffer.append","audio":")" + std::string(20'000, '!') + "\"}";
  const auto half = text.size() / 2;
  first->send_text(text);
  EXPECT_EQ(parse(first->message().value()).at("error").at("param"), "audio");
  first->send_frame(Client::Opcode::text, text.substr(0, half), false);
  first->send_frame(Client::Opcode::ping, "");
  EXPECT_EQ(first->frame().value().opcode, Client::Opcode::pong);  // so the half message has the place
  second.send_text(R"({"type":"nothing"})");
  EXPECT_EQ(parse(second.message().value()).at("error").at("param"), "type");  // short ones do not wait
  second.send_text(text);
  first.reset();
  EXPECT_EQ(parse(second.message().value()).at("error").at("param"), "audio");
}

TEST(WaitingPlaces, AreTakenOneAfterTheOther) {
  boost::asio::io_context loop;
  WaitingPlaces places(loop.get_executor(), 1);
  std::optional<Places::Place> held;
  int taken = 0;
  const auto take = [&]() -> boost::asio::awaitable<void> {
    auto place = co_await places.take();
    ++taken;
    held.emplace(std::move(place));
  };
  boost::asio::co_spawn(loop, take, boost::asio::detached);
  boost::asio::co_spawn(loop, take, boost::asio::detached);
  loop.poll();
  EXPECT_EQ(taken, 1);
  held.reset();
  loop.poll();
  EXPECT_EQ(taken, 2);
}

TEST_F(OpenAIServer, CutsOffALongMessageThatDoesNotArriveInTime) {
  ServerSettings settings;
  settings.limits.message_bytes = 1000;
  settings.limits.long_message = 50ms;
  start(std::move(settings));
  Client client(url);
  ASSERT_EQ(client.upgrade("/v1/realtime").status, 101);
  client.message();
  client.send_frame(Client::Opcode::text, std::string(5000, ' '), false);
  EXPECT_FALSE(client.frame());
}

TEST_F(Uploads, ThatWouldTakeTheReserveOfTheDiskAreRefusedAndRecordingsAreNot) {
  ServerSettings settings;
  settings.limits.disk_reserve = std::uint64_t{1} << 60;
  start(std::move(settings));
  EXPECT_THAT(message(transcribe(""), 507, "disk_full"), HasSubstr("are kept for recordings"));
  Client microphone(url);
  ASSERT_EQ(microphone.upgrade("/api/v1/stream").status, 101);
  microphone.send_text(R"({"type":"hello","format":"s16","rate":16000})");
  EXPECT_EQ(parse(microphone.message().value()).at("type"), "welcome");
}

TEST_F(OpenAIServer, RefusesARealtimeSessionWithAModelThatItDoesNotHave) {
  start();
  Client known(url);
  ASSERT_EQ(known.upgrade("/v1/realtime?model=gpt-4o-transcribe").status, 101);
  const auto created = parse(known.message().value_or("null"));
  EXPECT_EQ(created.at("session").at("audio").at("input").at("transcription").at("model"), "gpt-4o-transcribe");
  Client unknown(url);
  const auto agreed =
      unknown.upgrade("/v1/realtime?model=gpt-9", "Sec-WebSocket-Protocol: openai-beta.realtime-v1\r\n");
  ASSERT_EQ(agreed.status, 101);
  EXPECT_EQ(agreed.headers.at("sec-websocket-protocol"), "openai-beta.realtime-v1");
  EXPECT_EQ(parse(unknown.message().value_or("null")).at("error").at("code"), "model_not_found");
  Client::Frame closed;
  EXPECT_FALSE(unknown.message(&closed));
  EXPECT_EQ(closed.close_code(), 1008);
}

}  // namespace
}  // namespace dictum::server
