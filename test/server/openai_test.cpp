#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client.hpp"
#include "json_text.hpp"
#include "server/form_reader.hpp"
#include "server/places.hpp"
#include "server/server.hpp"
#include "server/transcription_form.hpp"
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
      {"prompt", field("prompt", std::string(101, 'a'))},
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

class Uploads : public testing::Test {
 protected:
  void start(ServerSettings settings = {}, bool is_silent = false) {
    RecorderConfig config;
    config.vad.detector = "energy";
    config.custom_transcriber = [is_silent] { return std::make_unique<Answering>(is_silent); };
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
  std::optional<Server> server;
  std::string url;
};

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

TEST_F(Uploads, CanAskForTheModelsThatTheServerHas) {
  start();
  const auto listed = parse(test::get(url, "/v1/models").body);
  EXPECT_EQ(listed.at("data").at(0).at("id"), "custom");
  EXPECT_EQ(parse(test::get(url, "/v1/models/whisper-1").body).at("object"), "model");
  EXPECT_THAT(message(test::get(url, "/v1/models/gpt-9"), 404, "model_not_found"), HasSubstr("\"gpt-9\""));
  message(test::get(url, "/v1/chat/completions"), 404, "not_found");
}

}  // namespace
}  // namespace dictum::server
