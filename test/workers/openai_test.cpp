#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "dictum/error.hpp"
#include "openai_client.hpp"
#include "openai_response.hpp"
#include "support/loopback_server.hpp"
#include "support/temporary_directory.hpp"
#include "test_wav.hpp"
#include "worker_audio.hpp"
#include "worker_process.hpp"

namespace dictum::workers {
namespace {

using test::LoopbackServer;
using test::TemporaryDirectory;
using test::WorkerProcess;
using Connection = LoopbackServer::Connection;
using Request = LoopbackServer::Request;

constexpr const char* kSecret = "sk-very-secret-0123456789";
constexpr const char* kGood = R"({"text": " And so\nmy fellow Americans ", "words": [
  {"word": "And", "start": 0.25, "end": 0.5}, {"word": "so", "start": 0.5, "end": 0.75, "probability": 0.5}],
  "segments": [{"start": 0, "end": 1, "avg_logprob": -0.1, "no_speech_prob": 0.02}]})";

template <class Call>
RecorderError error_of(Call&& call) {
  try {
    call();
  } catch (const RecorderError& error) {
    return error;
  }
  return {Errc::internal, "no error"};
}

OpenAIClient::Settings settings(const LoopbackServer& server) {
  OpenAIClient::Settings made;
  made.base_url = server.address() + "/v1";
  made.model = "whisper-1";
  made.key = APIKey(kSecret);
  made.timeout = std::chrono::milliseconds(2000);
  made.backoff = std::chrono::milliseconds(1);
  made.longest_wait = std::chrono::milliseconds(1500);
  made.attempts = 3;
  return made;
}

OpenAIResponse ask(const LoopbackServer& server, std::stop_token cancelled = {}) {
  return OpenAIClient(settings(server))
      .transcribe({"RIFF the bytes of a wav", "en-GB", "what came before"}, std::move(cancelled));
}

RecorderError trouble_with(const LoopbackServer& server, std::stop_token cancelled = {}) {
  auto error = error_of([&] { ask(server, std::move(cancelled)); });
  EXPECT_EQ(std::string(error.what()).find(kSecret), std::string::npos) << "the key was printed";
  return error;
}

TEST(OpenAIClient, SendsTheSegmentAsAFormAndReadsTheText) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(200, kGood); });
  const auto response = ask(server);
  EXPECT_EQ(response.text, "And so my fellow Americans");
  const auto request = server.requests()[0];
  EXPECT_TRUE(request.head.starts_with("POST /v1/audio/transcriptions HTTP/1.1\r\n"));
  EXPECT_EQ(request.header("Authorization"), std::string("Bearer ") + kSecret);
  EXPECT_TRUE(request.header("Content-Type").starts_with("multipart/form-data; boundary="));
  for (const char* part : {"name=\"model\"\r\n\r\nwhisper-1\r\n", "name=\"response_format\"\r\n\r\nverbose_json\r\n",
                           "name=\"language\"\r\n\r\nen\r\n", "name=\"prompt\"\r\n\r\nwhat came before\r\n",
                           "name=\"timestamp_granularities[]\"\r\n\r\nword\r\n", "filename=\"segment.wav\"",
                           "RIFF the bytes of a wav\r\n"}) {
    EXPECT_NE(request.body.find(part), std::string::npos) << part;
  }
}

TEST(OpenAIClient, AsksAgainAServerThatIsBusyOrBroken) {
  for (const int status : {429, 500, 502, 503}) {
    const LoopbackServer server([&](const Request&, int number, Connection& c) {
      number < 2 ? c.respond(status, "{}") : c.respond(200, kGood);
    });
    EXPECT_EQ(ask(server).text, "And so my fellow Americans") << status;
    EXPECT_EQ(server.requests().size(), 3U) << status;
  }
}

TEST(OpenAIClient, WaitsAsLongAsTheServerAsks) {
  const LoopbackServer server([&](const Request&, int number, Connection& c) {
    number == 0 ? c.respond(429, "{}", "Retry-After: 1\r\n") : c.respond(200, kGood);
  });
  const auto begin = std::chrono::steady_clock::now();
  ask(server);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1000));
}

TEST(OpenAIClient, DoesNotWaitForHours) {
  const LoopbackServer server([&](const Request&, int, Connection& c) {
    c.respond(429, R"({"error": {"message": "come back tomorrow"}})", "Retry-After: 99999999999999999999\r\n");
  });
  const LoopbackServer longer(
      [&](const Request&, int, Connection& c) { c.respond(429, "{}", "Retry-After: 86400\r\n"); });
  EXPECT_NE(std::string(trouble_with(server).what()).find("come back tomorrow"), std::string::npos);
  trouble_with(longer);
  EXPECT_EQ(longer.requests().size(), 1U);
}

TEST(OpenAIClient, GivesUpAfterItsAttempts) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(500, "<html>oops</html>"); });
  const auto error = trouble_with(server);
  EXPECT_EQ(error.code(), make_error_code(Errc::transcription_failed));
  EXPECT_STREQ(error.what(), "127.0.0.1 answers 500: <html>oops</html>");
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(OpenAIClient, DoesNotInsistWhereItIsRefused) {
  const LoopbackServer server([](const Request&, int, Connection& c) {
    c.respond(401, std::string(R"({"error": {"message": "Incorrect API key provided: )") + kSecret + R"(."}})");
  });
  const auto error = trouble_with(server);
  EXPECT_STREQ(error.what(), "127.0.0.1 answers 401: Incorrect API key provided: ….");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(OpenAIClient, AsksForTheTextAloneWhereTheServerKnowsNoMore) {
  const LoopbackServer server([](const Request& request, int, Connection& c) {
    if (request.body.find("verbose_json") != std::string::npos) {
      return c.respond(400, R"({"error": {"message": "response_format 'verbose_json' is not compatible"}})");
    }
    c.respond(200, R"({"text": "plain"})");
  });
  OpenAIClient client(settings(server));
  EXPECT_EQ(client.transcribe({"RIFF", "", ""}, {}).text, "plain");
  EXPECT_EQ(client.transcribe({"RIFF", "", ""}, {}).text, "plain");
  EXPECT_EQ(server.requests().size(), 3U) << "it remembers";
}

TEST(OpenAIClient, RefusesGarbage) {
  for (const char* body : {"", "hello", "{", "[]", "{}", R"({"text": 5})", R"({"error": "none"})", "\xff\xfe"}) {
    const LoopbackServer server([&](const Request&, int, Connection& c) { c.respond(200, body); });
    EXPECT_EQ(trouble_with(server).code(), make_error_code(Errc::transcription_failed)) << body;
  }
}

TEST(OpenAIClient, RefusesAnAnswerWithoutEnd) {
  const LoopbackServer server([](const Request&, int, Connection& c) {
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    const std::string block(1 << 20, ' ');
    for (int i = 0; i < 20; ++i) c.send(block);
  });
  EXPECT_STREQ(trouble_with(server).what(), "127.0.0.1 answers without end");
}

TEST(OpenAIClient, GivesUpOnAServerThatStalls) {
  const LoopbackServer server([](const Request&, int, Connection& c) {
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    c.stall();
  });
  auto impatient = settings(server);
  impatient.timeout = std::chrono::milliseconds(200);
  const auto error = error_of([&] { OpenAIClient(impatient).transcribe({"RIFF", "", ""}, {}); });
  EXPECT_EQ(error.code(), make_error_code(Errc::timed_out));
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(OpenAIClient, AsksAgainWhereTheConnectionDrops) {
  const LoopbackServer server([](const Request&, int number, Connection& c) {
    if (number == 0) return;                                                            // hangs up without a word
    if (number == 1) return c.send("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{");  // hangs up in the middle
    c.respond(200, kGood);
  });
  EXPECT_EQ(ask(server).text, "And so my fellow Americans");
}

TEST(OpenAIClient, DoesNotFollowARedirectWithTheKey) {
  const LoopbackServer server(
      [](const Request&, int, Connection& c) { c.respond(307, "", "Location: /elsewhere\r\n"); });
  EXPECT_EQ(trouble_with(server).code(), make_error_code(Errc::transcription_failed));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(OpenAIClient, SaysThatNobodyIsThere) {
  std::string address;
  {
    const LoopbackServer gone([](const Request&, int, Connection&) {});
    address = gone.address();
  }
  OpenAIClient::Settings made;
  made.base_url = address;
  made.backoff = std::chrono::milliseconds(1);
  const auto error = error_of([&] { OpenAIClient(made).transcribe({"RIFF", "", ""}, {}); });
  EXPECT_NE(std::string(error.what()).find("127.0.0.1 cannot be reached"), std::string::npos) << error.what();
}

TEST(OpenAIClient, EndsAtOnceWhenItIsCancelled) {
  for (const bool while_waiting : {false, true}) {
    std::stop_source stop;
    const LoopbackServer server([&](const Request&, int, Connection& c) {
      while_waiting ? c.respond(429, "", "Retry-After: 1\r\n") : c.stall();
    });
    const std::jthread canceller([&] {
      server.wait_for_requests(1);
      stop.request_stop();
    });
    EXPECT_EQ(trouble_with(server, stop.get_token()).code(), make_error_code(Errc::cancelled));
  }
}

TEST(OpenAIClient, RefusesAddressesThatAreNone) {
  for (const char* url : {"", "api.openai.com", "ftp://host/v1", "https://", "https://host /v1",
                          "https://user:pass@host/v1", "https://host/v1?x=1"}) {
    OpenAIClient::Settings made;
    made.base_url = url;
    EXPECT_EQ(error_of([&] { OpenAIClient client(made); }).code(), make_error_code(Errc::config_invalid)) << url;
  }
}

TEST(OpenAIClient, NeverSendsTheKeyUnencryptedToAnotherMachine) {
  OpenAIClient::Settings made;
  made.key = APIKey(kSecret);
  for (const char* url : {"http://example.org/v1", "http://127.0.0.1.example.org/v1", "http://localhost.example.org"}) {
    made.base_url = url;
    EXPECT_EQ(error_of([&] { OpenAIClient client(made); }).code(), make_error_code(Errc::config_invalid)) << url;
  }
  for (const char* url :
       {"http://localhost:8000/v1", "http://127.0.0.1/v1", "http://[::1]:80/v1", "https://example.org/v1"}) {
    made.base_url = url;
    EXPECT_NO_THROW(OpenAIClient client(made)) << url;
  }
}

class KeyFile : public testing::Test {
 protected:
  void write(std::string_view text, mode_t mode) const {
    std::ofstream(path_, std::ios::binary) << text;
    ::chmod(path_.c_str(), mode);
  }
  Errc code() const {
    return static_cast<Errc>(error_of([&] { APIKey::from_file(path_); }).code().value());
  }

  const TemporaryDirectory folder_;
  const std::filesystem::path path_ = folder_ / "key";
};

TEST_F(KeyFile, GivesTheKeyWithoutItsLineBreak) {
  write("sk-abc\n", 0600);
  EXPECT_EQ(APIKey::from_file(path_).header(), "Authorization: Bearer sk-abc");
}

TEST_F(KeyFile, MayBeReadByItsOwnerAlone) {
  write("sk-abc\n", 0644);
  EXPECT_EQ(code(), Errc::config_invalid);
}

TEST_F(KeyFile, IsAFileWithAKey) {
  EXPECT_EQ(code(), Errc::config_invalid) << "missing";
  for (const std::string& text : {std::string(), std::string("\n"), std::string("two words"),
                                  std::string("a\nHost: evil"), std::string(5000, 'x'), std::string("a\0b", 3)}) {
    write(text, 0600);
    EXPECT_EQ(code(), Errc::config_invalid) << text.substr(0, 20);
  }
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(code(), Errc::config_invalid) << "a pipe";
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_EQ(code(), Errc::config_invalid) << "a folder";
}

TEST(OpenAIResponse, TakesWordsWithTimesAndWhatItKnowsOfTheirCertainty) {
  const auto response = OpenAIResponse::parse(kGood);
  ASSERT_EQ(response.words.size(), 2U);
  EXPECT_EQ(response.words[0].text, "And");
  EXPECT_NEAR(response.words[0].confidence, 0.905, 0.001);
  EXPECT_EQ(response.words[1], (OpenAIResponse::Word{"so", 0.5, 0.75, 0.5}));
  EXPECT_DOUBLE_EQ(response.no_speech_probability.value(), 0.02);
}

TEST(OpenAIResponse, PassesOverWhatItCannotUse) {
  const auto response =
      OpenAIResponse::parse(R"({"text": "x", "segments": [1, {}, {"no_speech_prob": 1e400}], "words": [
    null, {"word": 1}, {"word": "a", "start": -1, "end": 2}, {"word": "b", "start": 3, "end": 2}, {"word": "c", "start": 1, "end": 2, "probability": 7}]})");
  ASSERT_EQ(response.words.size(), 1U);
  EXPECT_EQ(response.words[0].confidence, 1);
  EXPECT_FALSE(response.no_speech_probability);
}

class OpenAIWorker : public testing::Test {
 protected:
  OpenAIWorker() { test::write_wav(wav_, test::tone(440, 1, 48000), 48000); }

  const TemporaryDirectory folder_;
  const std::filesystem::path wav_ = folder_ / "a.wav";
};

TEST_F(OpenAIWorker, TurnsAnAnswerIntoFramesOfTheWAV) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(200, kGood); });
  WorkerProcess worker("openai",
                       {"DICTUM_OPENAI_URL=" + server.address(), std::string("DICTUM_OPENAI_KEY=") + kSecret});
  worker.expect<transcription::Hello>();
  const auto result = worker.transcribe({.wav = wav_, .range = transcription::FrameRange{0, 48000}});
  EXPECT_EQ(result.text, "And so my fellow Americans");
  ASSERT_EQ(result.words.size(), 2U);
  EXPECT_EQ(result.words[0].start_frame, 12000);
  EXPECT_EQ(result.words[1].end_frame, 36000);
  EXPECT_EQ(result.no_speech_probability, 0.02);
  EXPECT_FALSE(result.suspect);
  const auto body = server.requests()[0].body;
  EXPECT_NE(body.find("RIFF"), std::string::npos);
  EXPECT_NEAR(static_cast<double>(body.size()), 32000, 2000) << "the segment at 16 kHz and the form around it";
}

TEST_F(OpenAIWorker, KeepsTheKeyToItself) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(403, kSecret); });
  WorkerProcess worker("openai",
                       {"DICTUM_OPENAI_URL=" + server.address(), std::string("DICTUM_OPENAI_KEY=") + kSecret});
  worker.expect<transcription::Hello>();
  EXPECT_EQ(worker.fail_at({.wav = wav_}).message.find(kSecret), std::string::npos);
  EXPECT_EQ(worker.log().find(kSecret), std::string::npos);
}

TEST_F(OpenAIWorker, SaysAtOnceThatItsSettingsAreWrong) {
  WorkerProcess worker("openai", {"DICTUM_OPENAI_URL=nonsense"});
  const auto message = worker.receive();
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_EQ(std::get<transcription::Error>(message).code, to_string(Errc::config_invalid));
}

TEST_F(OpenAIWorker, SaysAtOnceThatTheUsualServerNeedsAKey) {
  WorkerProcess worker("openai", {});
  const auto message = worker.receive();
  ASSERT_TRUE(std::holds_alternative<transcription::Error>(message));
  EXPECT_EQ(std::get<transcription::Error>(message).code, to_string(Errc::config_invalid));
  EXPECT_NE(std::get<transcription::Error>(message).message.find("DICTUM_OPENAI_KEY_FILE"), std::string::npos);
}

}  // namespace
}  // namespace dictum::workers
