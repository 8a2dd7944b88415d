#include "server/server.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <future>
#include <optional>
#include <random>
#include <thread>

#include "base/json.hpp"
#include "client.hpp"
#include "dictum/error.hpp"
#include "dictum/push_source.hpp"
#include "dictum/sessions.hpp"
#include "journal/journal_reader.hpp"
#include "json_text.hpp"
#include "recorder/recordings.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::server {
namespace {

using test::Client;
using test::parse;
using test::text_of;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

/// Checks that it is a problem, and gives its code.
std::string problem(const Client::Response& response, int status) {
  EXPECT_EQ(response.status, status) << response.body;
  EXPECT_EQ(response.headers.at("content-type"), "application/problem+json");
  return text_of(parse(response.body).at("code"));
}

/// A server over a recording of three sentences, as fast as it is processed.
class Serving : public testing::Test {
 protected:
  void start() { start(test::scripted(folder.path())); }
  void start(RecorderConfig config, ServerSettings settings = {}) {
    config.session.durability = "crash";  // a test has no use for waiting for the disk
    server.emplace(std::move(config), std::move(settings));
    url = server->url();
  }

  void command(const std::string& name, const std::string& fields = "{}") const {
    const auto response = test::post(url, "/api/v1/commands/" + name, fields);
    EXPECT_EQ(response.status, 200) << response.body;
  }

  /// Follows events until one satisfies `is_last`, or the stream ends.
  static std::vector<Client::Event> follow(Client& client, const auto& is_last) {
    std::vector<Client::Event> all;
    while (auto event = client.event()) {
      all.push_back(std::move(*event));
      if (is_last(all.back())) break;
    }
    return all;
  }

  Client events(const std::string& query = "", const std::string& headers = "", int receive_buffer = 0) const {
    Client client(url, receive_buffer);
    client.request("GET", "/api/v1/events" + query, headers);
    const auto head = client.head();
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("content-type"), "text/event-stream");
    return client;
  }

  /// A session is locked for a moment more once it is idle.
  void wait_until_closed() const {
    command("wait_until_idle");
    while (list_sessions(folder.path()).back().is_open) std::this_thread::yield();
  }

  std::string session() const { return list_sessions(folder.path()).back().name; }

  /// The ids of every event in a session's journal.
  std::vector<std::string> journal(const std::string& name) const {
    std::vector<std::string> ids;
    journal::JournalReader reader(folder / name);
    while (const auto event = reader.next()) ids.push_back(name + "/" + std::to_string(event->sequence.value()));
    return ids;
  }

  static std::vector<std::string> ids(const std::vector<Client::Event>& events) {
    std::vector<std::string> all;
    for (const auto& event : events) all.push_back(event.id);
    return all;
  }

  test::TemporaryDirectory folder;
  std::optional<Server> server;
  std::string url;
};

/// Never answers. Says when it is asked first.
class SilentTranscriber final : public Transcriber {
 public:
  explicit SilentTranscriber(std::shared_ptr<std::promise<void>> asked) : asked_(std::move(asked)) {}
  void transcribe(TranscriptionJob /*job*/, Done /*done*/) override {
    if (asked_) asked_->set_value();
    asked_.reset();
  }
  void abandon() override {}

 private:
  std::shared_ptr<std::promise<void>> asked_;
};

bool is_idle(const Client::Event& event) {
  return event.data.find(R"("state":"idle")") != std::string::npos;
}

TEST_F(Serving, ARecordingIsStartedFollowedAndRead) {
  start();
  Client client = events();
  command("start_recording");
  const auto seen = follow(client, is_idle);  // the script's end stops it
  command("wait_until_idle");
  const std::string name = session();
  EXPECT_EQ(seen.front().id, name + "/0");
  EXPECT_THAT(seen.front().data, StartsWith(R"({"event":"RecordingStateChanged","session":")" + name));

  const auto status = parse(test::get(url, "/api/v1/status").body);
  EXPECT_EQ(status.at("state"), "idle");
  EXPECT_EQ(text_of(status.at("session")), name);

  const auto listed = parse(test::get(url, "/api/v1/sessions").body).at("sessions").as_array();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].at("segments"), 3);
  EXPECT_THAT(test::get(url, "/api/v1/sessions/" + name + "/transcript?format=txt").body, HasSubstr("the second one"));

  const std::string audio = "/api/v1/sessions/" + name + "/segments/1/audio";
  const std::string whole = test::content_of(folder / name / "seg_0001.wav");
  EXPECT_EQ(test::get(url, audio).body, whole);
  const auto part = test::get(url, audio, "Range: bytes=44-143\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, whole.substr(44, 100));

  const auto matches = parse(test::get(url, "/api/v1/search?q=second").body).at("matches").as_array();
  ASSERT_EQ(matches.size(), 1U);
  EXPECT_EQ(matches[0].at("segment_index"), 1);
}

TEST_F(Serving, MetricsCountWhatWasRecordedAndAnswered) {
  start();
  Client client = events();
  command("start_recording");
  follow(client, is_idle);
  command("wait_until_idle");
  std::string text;
  // The rate of a session is read from its files, beside everything else.
  while (text.empty() || text.find("dictum_audio_captured_seconds_total 0\n") != std::string::npos) {
    const auto response = test::get(url, "/metrics");
    EXPECT_EQ(response.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    text = response.body;
  }
  EXPECT_THAT(text, AllOf(HasSubstr("dictum_segments_total{kept=\"true\"} 3\n"),
                          HasSubstr("dictum_texts_total{success=\"true\"} 3\n"),
                          HasSubstr("dictum_text_latency_seconds_count 3\n"), HasSubstr("dictum_event_subscribers 1\n"),
                          HasSubstr("dictum_http_responses_total{status=\"200\"}")));
}

TEST_F(Serving, ASessionIsTranscribedAgainWhileTheServerServes) {
  start();
  Client client = events();
  command("start_recording");
  follow(client, is_idle);
  wait_until_closed();
  const std::string at = "/api/v1/sessions/" + session();
  const auto again = test::post(url, at + "/retranscribe", "{}");
  ASSERT_EQ(again.status, 200) << again.body;
  const auto body = parse(again.body);
  for (const auto& segment : body.at("segments").as_array()) EXPECT_EQ(segment.at("revision"), 1);
  wait_until_closed();
  EXPECT_EQ(test::post(url, at + "/resume", "{}").status, 200);  // there is nothing to do
  const auto refused = test::post(url, at + "/retranscribe", R"({"transcriber":"NoSuch!"})");
  EXPECT_THAT(problem(refused, 400), Not(testing::IsEmpty()));
}

TEST_F(Serving, ASessionThatIsBeingRecordedIsNeitherDeletedNorTranscribedAgain) {
  start(test::live_script(folder.path()));
  command("start_recording");
  const std::string at = "/api/v1/sessions/" + session();
  Client client(url);
  client.request("DELETE", at);
  EXPECT_EQ(problem(client.response(), 409), "session_locked");
  EXPECT_EQ(problem(test::post(url, at + "/retranscribe"), 409), "session_locked");
  EXPECT_EQ(problem(test::post(url, at + "/resume"), 409), "session_locked");
  command("stop_recording", R"({"drain_sec":0})");
}

TEST_F(Serving, TheEndOfTheServerEndsATranscriptionThatIsUnderWay) {
  RecorderConfig config = test::scripted(folder.path());
  start(config);
  Client client = events();
  command("start_recording");
  follow(client, is_idle);
  wait_until_closed();
  server->stop();
  const auto asked = std::make_shared<std::promise<void>>();
  config.custom_transcriber = [asked] { return std::make_unique<SilentTranscriber>(asked); };
  start(config);
  Client waiting(url);
  waiting.post("/api/v1/sessions/" + session() + "/retranscribe", "{}");
  asked->get_future().wait();
  server->stop();
  EXPECT_EQ(problem(waiting.response(), 503), "stopping");
}

TEST_F(Serving, AConnectionServesOneRequestAfterAnother) {
  start();
  Client client(url);
  for (int i = 0; i < 3; ++i) {
    client.request("GET", "/healthz");
    EXPECT_EQ(client.response().status, 200);
  }
  client.request("HEAD", "/healthz");
  const auto head = client.response(false);
  EXPECT_EQ(head.headers.at("content-length"), "16");
  client.post("/api/v1/commands/set_muted", R"({"muted":true})");  // nothing is recorded
  EXPECT_EQ(problem(client.response(), 409), "invalid_state");
  client.request("GET", "/healthz", "Connection: close\r\n");
  EXPECT_EQ(client.response().headers.at("connection"), "close");
  EXPECT_EQ(client.rest(), "");
}

TEST_F(Serving, NoBrowserRunsOrFramesWhatIsSent) {
  start();
  const auto headers = test::get(url, "/healthz").headers;
  EXPECT_EQ(headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(headers.at("cross-origin-resource-policy"), "same-origin");
  EXPECT_EQ(headers.at("cache-control"), "no-store");
  EXPECT_THAT(headers.at("content-security-policy"), HasSubstr("default-src 'none'"));
  EXPECT_FALSE(headers.contains("access-control-allow-origin"));
}

TEST_F(Serving, AFailedCommandIsAProblemWithTheLibrarysSentence) {
  RecorderConfig config;
  config.session.root = folder.path();
  config.capture.input = folder / "missing.wav";
  config.transcription.transcriber = "none";
  start(std::move(config));
  const auto response = test::post(url, "/api/v1/commands/start_recording");
  EXPECT_EQ(problem(response, 404), "input_not_found");
  EXPECT_THAT(response.body, HasSubstr("missing.wav"));
}

// Attacks

TEST_F(Serving, AttacksAreRefusedAndOthersServed) {
  start();
  EXPECT_EQ(problem(test::get(url, "/api/v1/status", "Origin: https://evil.example\r\n"), 403), "foreign_origin");
  EXPECT_EQ(problem(test::get(url, "/api/v1/sessions/%2e%2e%2f%2e%2e%2fetc"), 400), "invalid_argument");
  EXPECT_EQ(problem(test::get(url, "/api/v1/../../etc/passwd"), 400), "invalid_argument");
  EXPECT_EQ(problem(test::get(url, "/nothing"), 404), "not_found");
  EXPECT_EQ(problem(test::get(url, "/healthz", "Accept: text/html\r\n"), 406), "not_acceptable");
  {
    Client client(url);
    client.request("DELETE", "/healthz");
    EXPECT_EQ(problem(client.response(), 405), "method_not_allowed");
  }
  {
    Client client(url);
    client.send("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_EQ(problem(client.response(), 421), "foreign_host");
  }
  {
    Client client(url);
    client.send("GET /healthz HTTP/1.1\r\n\r\n");
    EXPECT_EQ(problem(client.response(), 400), "invalid_host");
  }
  EXPECT_EQ(test::get(url, "/healthz").status, 200);
}

TEST_F(Serving, TooMuchIsRefused) {
  start();
  {
    Client client(url);
    client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
    EXPECT_EQ(problem(client.response(), 431), "header_too_large");
  }
  {
    Client client(url);
    std::string fields;
    for (int i = 0; i < 5000; ++i) fields += "X" + std::to_string(i) + ": y\r\n";
    client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
    EXPECT_EQ(problem(client.response(), 431), "header_too_large");
  }
  {
    Client client(url);
    client.send("POST /api/v1/commands/set_device HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n{");
    EXPECT_EQ(problem(client.response(), 413), "body_too_large");
  }
  {
    Client client(url);
    client.send("POST /api/v1/commands/set_device HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i) client.send("1000\r\n" + std::string(0x1000, ' ') + "\r\n");
    EXPECT_EQ(problem(client.response(), 413), "body_too_large");
  }
}

TEST_F(Serving, WhatIsNoRequestIsRefused) {
  start();
  for (const std::string bytes : {"\x16\x03\x01\x02\r\n\r\n", "GET /healthz\r\n\r\n", "GET /healthz HTTP/9.9\r\n\r\n",
                                  "GET /healthz HTTP/1.1\r\nHost localhost\r\n\r\n",
                                  "POST /api/v1/commands/retry_failed HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                                  "4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    Client client(url);
    client.send(bytes);
    EXPECT_EQ(problem(client.response(), 400), "invalid_request") << bytes;
  }
}

TEST_F(Serving, AClientThatWaitsForPermissionToSendGetsIt) {
  start();
  Client client(url);
  client.send(
      "POST /api/v1/commands/set_device HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "13\r\n\r\n");
  EXPECT_EQ(client.head().status, 100);
  client.send(R"({"device":""})");
  EXPECT_EQ(client.response().status, 200);
}

TEST_F(Serving, AClientThatIsTooSlowWithItsRequestIsCutOff) {
  ServerSettings settings;
  settings.limits.request = 100ms;
  start(test::scripted(folder.path()), std::move(settings));
  Client idle(url);
  Client slow(url);
  slow.send("GET /healthz HTTP/1.1\r\nHo");
  EXPECT_EQ(idle.rest(), "");
  EXPECT_EQ(slow.rest(), "");
}

TEST_F(Serving, MoreConnectionsThanAllowedAreRefused) {
  ServerSettings settings;
  settings.limits.connections = 2;
  start(test::scripted(folder.path()), std::move(settings));
  Client first = events();
  Client second = events();
  Client third(url);
  const auto refused = third.response();
  EXPECT_EQ(problem(refused, 503), "too_many_connections");
}

TEST_F(Serving, TokensOpenWhatTheirScopesAllow) {
  const std::string listen = make_token(folder / "tokens", Scopes().with(Scope::listen));
  ServerSettings settings;
  settings.tokens.add_file(folder / "tokens");
  start(test::scripted(folder / "sessions"), std::move(settings));
  const std::string header = "Authorization: Bearer " + listen + "\r\n";
  EXPECT_EQ(problem(test::get(url, "/api/v1/status"), 401), "token_missing");
  EXPECT_EQ(problem(test::get(url, "/api/v1/status", "Authorization: Bearer wrong\r\n"), 401), "token_unknown");
  EXPECT_EQ(test::get(url, "/api/v1/status", header).status, 200);
  EXPECT_EQ(problem(test::get(url, "/api/v1/sessions", header), 403), "scope_missing");
  EXPECT_EQ(problem(test::post(url, "/api/v1/commands/start_recording", "{}", header), 403), "scope_missing");
  EXPECT_EQ(test::get(url, "/healthz").status, 200);
}

ServerSettings settings_of(const std::string& address, std::uint16_t port = 0) {
  ServerSettings settings;
  settings.address = address;
  settings.port = port;
  return settings;
}

TEST(Server, AnAddressThatOthersReachNeedsAToken) {
  const test::TemporaryDirectory folder;
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1"}) {
    try {
      const Server server(test::scripted(folder.path()), settings_of(address));
      ADD_FAILURE() << address;
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("--new-token"), HasSubstr("--token-file")));
    }
  }
}

TEST(Server, AnAddressThatIsNoneAndAPortThatIsTakenAreRefused) {
  const test::TemporaryDirectory folder;
  EXPECT_THROW(Server(test::scripted(folder.path()), settings_of("localhost")), RecorderError);
  const Server first(test::scripted(folder.path()), {});
  const std::string url = first.url();
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  EXPECT_THROW(Server(test::scripted(folder.path()), settings_of("127.0.0.1", port)), RecorderError);
}

// Events

TEST_F(Serving, AClientThatGoesOnSeesTheRestAndNothingTwice) {
  start();
  command("start_recording");
  command("wait_until_idle");
  Client client = events("?after=-1");
  std::vector<std::string> seen;
  for (int i = 0; i < 5; ++i) seen.push_back(client.event()->id);
  Client rest = events("", "Last-Event-ID: " + seen.back() + "\r\n");
  const auto all = journal(session());
  for (std::size_t i = 5; i < all.size(); ++i) seen.push_back(rest.event()->id);
  EXPECT_EQ(seen, all);
}

TEST_F(Serving, AClientThatIsKilledAgainAndAgainSeesEachEventOnce) {
  start();
  std::mt19937 dice(1);
  std::vector<std::string> seen;
  std::string last = "-1";
  for (int recording = 0; recording < 3; ++recording) {
    command("start_recording");
    for (bool is_over = false; !is_over;) {
      Client client = events("?after=" + last);
      for (unsigned left = dice() % 4 + 1; left > 0 && !is_over; --left) {
        const auto event = client.event();
        ASSERT_TRUE(event);
        last = event->id;
        seen.push_back(last.substr(last.rfind(',') + 1));
        is_over = is_idle(*event);
      }
    }
    command("wait_until_idle");
  }
  // What came behind the last `idle`.
  Client client = events("?after=" + last);
  server->stop();
  while (const auto event = client.event()) seen.push_back(event->id.substr(event->id.rfind(',') + 1));
  std::vector<std::string> all;
  for (const SessionEntry& entry : list_sessions(folder.path())) {
    for (const std::string& id : journal(entry.name)) all.push_back(id);
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAreArray(all));
}

TEST_F(Serving, AClientThatDoesNotReadSlowsNobodyAndMissesNothing) {
  RecorderConfig config = test::scripted(folder.path());
  std::vector<Script::Line> lines;
  for (int i = 0; i < 400; ++i)
    lines.push_back({.text = "line " + std::to_string(i), .speech_sec = 0.3, .pause_sec = 1});
  const Script script(std::move(lines));
  config.source = script.source();
  config.detector = script.detector();
  config.custom_transcriber = script.transcriber();
  config.vad.min_silence_ms = 128;
  start(std::move(config));
  Client slow = events("", "", 4096);
  Client quick = events();
  command("start_recording");
  follow(quick, is_idle);
  command("stop_recording");  // waits for its subscribers, of which no client is one
  std::vector<std::string> seen;
  const auto all = journal(session());
  EXPECT_GT(all.size(), 1600U);
  for (std::size_t i = 0; i < all.size(); ++i) seen.push_back(slow.event().value().id);
  EXPECT_EQ(seen, all);
}

TEST_F(Serving, NoMoreThanTwoLongAnswersAreMadeAtOnceAndTheirPlacesComeBack) {
  RecorderConfig config = test::scripted(folder.path());
  const Script script({{.text = "a", .speech_sec = 0.5, .pause_sec = 300}});  // more than the system takes for a client
  config.source = script.source();
  config.detector = script.detector();
  config.custom_transcriber = script.transcriber();
  start(std::move(config));
  Client client = events();
  command("start_recording");
  follow(client, is_idle);
  wait_until_closed();
  const std::string at = "/api/v1/sessions/" + session();
  std::vector<Client> slow;
  for (int i = 0; i < 2; ++i) {
    slow.emplace_back(url, 4096);
    slow.back().request("GET", at + "/export?format=wav&extent=timeline");
    EXPECT_EQ(slow.back().head().status, 200);
  }
  const auto refused = test::get(url, at + "/verification");
  EXPECT_EQ(problem(refused, 503), "too_much_work");
  EXPECT_EQ(refused.headers.at("retry-after"), "5");
  EXPECT_EQ(test::get(url, at).status, 200);
  slow.clear();
  while (test::get(url, at + "/verification").status != 200) {
  }
}

TEST_F(Serving, OnlyTheWantedTypesAreSent) {
  start();
  Client client = events("?types=SpeechEnded,RecordingStateChanged");
  command("start_recording");
  for (const auto& event : follow(client, is_idle)) {
    EXPECT_THAT(event.data, testing::AnyOf(HasSubstr("\"SpeechEnded\""), HasSubstr("\"RecordingStateChanged\"")));
  }
}

TEST_F(Serving, LevelsAreSentWhereTheyAreWanted) {
  RecorderConfig config = test::live_script(folder.path());
  config.events.level_hz = 20;
  start(std::move(config));
  Client client = events("?types=AudioLevel");
  command("start_recording");
  const auto level = client.event();
  ASSERT_TRUE(level);
  EXPECT_EQ(level->id, "");
  EXPECT_THAT(level->data, HasSubstr("\"rms_dbfs\""));
}

TEST_F(Serving, AStreamShowsThatItIsAlive) {
  ServerSettings settings;
  settings.limits.heartbeat = 20ms;
  start(test::scripted(folder.path()), std::move(settings));
  Client client = events();
  command("start_recording");  // heartbeats before it are passed over
  EXPECT_TRUE(client.event());
}

TEST_F(Serving, EventsBehindANumberNeedASession) {
  start();
  EXPECT_EQ(problem(test::get(url, "/api/v1/events?after=5"), 404), "not_found");
}

// The same over a WebSocket

/// The id of an event in a message.
std::string id_of(const std::string& message) {
  const auto event = parse(message);
  return event.as_object().contains("id") ? text_of(event.at("id")) : "";
}

TEST_F(Serving, AWebSocketHasTheEventsOfTheJournalEachOnce) {
  start();
  Client client(url);
  ASSERT_EQ(client.upgrade("/api/v1/events").status, 101);
  command("start_recording");
  command("wait_until_idle");
  const auto all = journal(session());
  std::vector<std::string> seen;
  while (seen.size() < all.size()) {
    const auto message = client.message();
    ASSERT_TRUE(message);
    EXPECT_THAT(*message, HasSubstr("\"session\":\"" + session()));
    seen.push_back(id_of(*message));
  }
  EXPECT_EQ(seen, all);
}

TEST_F(Serving, AWebSocketGoesOnBehindAnIdWithTheTypesThatAreWanted) {
  start();
  command("start_recording");
  command("wait_until_idle");
  Client client(url);
  ASSERT_EQ(client.upgrade("/api/v1/events?after=" + session() + "/2&types=SpeechEnded").status, 101);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(client.message().value(), HasSubstr("\"event\":\"SpeechEnded\""));
}

TEST_F(Serving, TheEndOfTheServerClosesAWebSocketBehindTheLastEvent) {
  start(test::live_script(folder.path()));
  Client client(url);
  ASSERT_EQ(client.upgrade("/api/v1/events").status, 101);
  command("start_recording");
  client.message();
  const auto begun = std::chrono::steady_clock::now();
  std::thread stopping([&] { server->stop(); });
  std::string last;
  Client::Frame closed;
  while (const auto message = client.message(&closed)) last = *message;
  stopping.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
  EXPECT_EQ(closed.close_code(), 1001);
  EXPECT_EQ(id_of(last), journal(session()).back());
}

TEST_F(Serving, AWebSocketIsPingedAndItsPingsAreAnswered) {
  ServerSettings settings;
  settings.limits.heartbeat = 20ms;
  start(test::scripted(folder.path()), std::move(settings));
  Client client(url);
  ASSERT_EQ(client.upgrade("/api/v1/events").status, 101);
  client.send_frame(Client::Opcode::ping, "are you there");
  const auto answer = client.frame();  // pings of the server are answered on the way
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->opcode, Client::Opcode::pong);
  EXPECT_EQ(answer->payload, "are you there");
}

TEST_F(Serving, AWebSocketThatIsUsedWronglyIsClosedWithTheCodeThatSaysWhy) {
  ServerSettings settings;
  settings.limits.message_bytes = 1000;
  start(test::scripted(folder.path()), std::move(settings));
  const auto code_after = [&](const auto& act) {
    Client client(url);
    EXPECT_EQ(client.upgrade("/api/v1/events").status, 101);
    act(client);
    const auto frame = client.frame();
    return frame ? frame->close_code() : 0;
  };
  using Opcode = Client::Opcode;
  EXPECT_EQ(code_after([](Client& c) { c.send_text("hello"); }), 1008);
  EXPECT_EQ(code_after([](Client& c) { c.send_text("\xC3\x28"); }), 1007);
  EXPECT_EQ(code_after([](Client& c) { c.send_frame(Opcode::text, "not masked", true, false); }), 1002);
  EXPECT_EQ(code_after([](Client& c) { c.send_frame(static_cast<Opcode>(3), "reserved"); }), 1002);
  EXPECT_EQ(code_after([](Client& c) { c.send_frame(Opcode::continuation, "of nothing"); }), 1002);
  EXPECT_EQ(code_after([](Client& c) { c.send_frame(Opcode::binary, std::string(1001, 'x')); }), 1009);
  // 10 GB are announced and never sent.
  EXPECT_EQ(code_after([](Client& c) { c.send(std::string("\x82\xFF\0\0\0\x02\x54\x0B\xE4\0\0\0\0\0", 14)); }), 1009);
  EXPECT_EQ(code_after([](Client& c) {
              for (int i = 0; i < 3; ++i)
                c.send_frame(i == 0 ? Opcode::text : Opcode::continuation, std::string(400, 'x'), false);
            }),
            1009);
  EXPECT_EQ(test::get(url, "/healthz").status, 200);
}

TEST_F(Serving, WhoMayNotUseItGetsNoWebSocket) {
  const std::string listen = make_token(folder / "tokens", Scopes().with(Scope::listen));
  const std::string library = make_token(folder / "tokens", Scopes().with(Scope::library));
  ServerSettings settings;
  settings.tokens.add_file(folder / "tokens");
  start(test::scripted(folder / "sessions"), std::move(settings));
  const auto upgrade = [&](const std::string& headers) { return Client(url).upgrade("/api/v1/events", headers); };
  EXPECT_EQ(problem(upgrade(""), 401), "token_missing");
  EXPECT_EQ(problem(upgrade("Authorization: Bearer wrong\r\n"), 401), "token_unknown");
  EXPECT_EQ(problem(upgrade("Authorization: Bearer " + library + "\r\n"), 403), "scope_missing");
  EXPECT_EQ(problem(upgrade("Sec-WebSocket-Protocol: dictum, dictum.token.wrong\r\n"), 401), "token_unknown");
  EXPECT_EQ(problem(upgrade("Origin: https://evil.example\r\nAuthorization: Bearer " + listen + "\r\n"), 403),
            "foreign_origin");
  EXPECT_EQ(upgrade("Authorization: Bearer " + listen + "\r\n").status, 101);
  const auto as_protocol = upgrade("Sec-WebSocket-Protocol: dictum, dictum.token." + listen + "\r\n");
  EXPECT_EQ(as_protocol.status, 101);
  EXPECT_EQ(as_protocol.headers.at("sec-websocket-protocol"), "dictum");  // and the token is not repeated
  EXPECT_EQ(problem(Client(url).upgrade("/api/v1/events?token=" + listen), 401), "token_missing");
}

TEST_F(Serving, AnUpgradeThatIsWrongIsAProblem) {
  start();
  const std::string upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(problem(test::get(url, "/api/v1/events", upgrade + key), 426), "upgrade_required");
  EXPECT_EQ(problem(test::get(url, "/api/v1/events", upgrade + "Sec-WebSocket-Version: 13\r\n"), 400),
            "invalid_request");
  EXPECT_EQ(problem(Client(url).upgrade("/api/v1/events", "Sec-WebSocket-Protocol: soap\r\n"), 400), "invalid_request");
  // Where there is none, the request is answered as if it had not asked.
  EXPECT_EQ(test::get(url, "/healthz", upgrade + key + "Sec-WebSocket-Version: 13\r\n").status, 200);
}

// The end

TEST_F(Serving, TheEndOfTheServerEndsTheRecordingAndThenItsStreams) {
  start(test::live_script(folder.path()));
  Client client = events();
  command("start_recording");
  client.event();
  const auto begun = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
  const auto seen = follow(client, [](const auto&) { return false; });  // to the stream's end
  EXPECT_TRUE(std::ranges::any_of(seen, is_idle));
  EXPECT_TRUE(session_entry(folder / session()).is_readable);
  EXPECT_TRUE(open_session(folder / session()).stopped_at);
}

TEST_F(Serving, TheEndOfTheServerEndsACommandThatWaits) {
  RecorderConfig config = test::scripted(folder.path(), 1000);  // no text ever comes
  config.transcription.drain_sec = -1;
  start(std::move(config));
  command("start_recording");
  Client waiting(url);
  waiting.post("/api/v1/commands/stop_recording", "{}");
  Client idle(url);
  const auto begun = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  waiting.rest();
  EXPECT_EQ(idle.rest(), "");
}

TEST_F(Serving, AClientThatDoesNotReadHoldsTheEndUpForASecondAtMost) {
  start(test::live_script(folder.path()));
  Client client = events("?after=-1", "", 4096);
  command("start_recording");
  const auto begun = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

}  // namespace
}  // namespace dictum::server
