#include "server/log.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/pipe.hpp"
#include "client.hpp"
#include "json_text.hpp"
#include "server/server.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::server {
namespace {

using test::parse;
using test::text_of;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

const std::chrono::system_clock::time_point kTime{1795363501250ms};

TEST(LogLine, IsAnObjectWithTheTimeTheLevelTheEventAndItsFields) {
  const std::string line =
      log_line(LogFormat::json, kTime, LogLevel::warning, "gap", {{"session", "s"}, {"frames", 7}});
  EXPECT_EQ(line,
            "{\"time\":\"2026-11-22T16:05:01.250Z\",\"level\":\"warning\",\"event\":\"gap\",\"session\":\"s\","
            "\"frames\":7}\n");
}

TEST(LogLine, AsTextHasNamesAndValues) {
  EXPECT_EQ(log_line(LogFormat::text, kTime, LogLevel::info, "request", {{"path", "/a"}, {"x", "a b"}, {"bytes", 7}}),
            "2026-11-22T16:05:01.250Z info request path=/a x=\"a b\" bytes=7\n");
}

TEST(LogLine, EscapesWhatWouldMisleadAReader) {
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const std::string line =
        log_line(format, kTime, LogLevel::info, "request", {{"path", "/a\n\x1B[2J\x7F\xC2\x85\xE2\x80\xAE\xFFz"}});
    EXPECT_THAT(line, HasSubstr(R"(/a\n\u001b[2J\u007f\u0085\u202e)"));
    EXPECT_EQ(line.find_first_of("\x1B\x7F"), std::string::npos);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
  }
}

TEST(LogLine, ThatWouldBeTooLongHasNoFields) {
  const std::string line =
      log_line(LogFormat::json, kTime, LogLevel::info, "request", {{"path", std::string(Log::kMaxLine, 'x')}});
  EXPECT_THAT(line, HasSubstr("\"too_long\":true"));
  EXPECT_LE(line.size(), Log::kMaxLine);
}

/// All that can be read until the writers have closed the pipe.
std::vector<std::string> lines_of(int reading) {
  std::string all;
  std::string piece(65536, '\0');
  for (ssize_t got = 0; (got = ::read(reading, piece.data(), piece.size())) > 0;) {
    all.append(piece, 0, static_cast<std::size_t>(got));
  }
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = all.find('\n', at);
    lines.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(LogTest, AReaderThatReadsNothingHoldsNobodyUpAndWhatItMissesIsCounted) {
  Pipe pipe;
  constexpr std::uint64_t kEntries = 5000;
  std::uint64_t dropped = 0;
  std::string first(65536, '\0');
  std::vector<std::string> lines;
  {
    Log log(LogFormat::json, pipe.writing.get());
    for (std::uint64_t i = 0; i < kEntries; ++i) log.add(LogLevel::info, "entry", {{"text", std::string(100, 'x')}});
    dropped = log.dropped();
    EXPECT_GT(dropped, kEntries - Log::kMaxWaiting - 1000);  // the pipe has some
    first.resize(static_cast<std::size_t>(::read(pipe.reading.get(), first.data(), first.size())));
  }
  pipe.writing.reset();
  lines = lines_of(pipe.reading.get());
  const auto report = std::ranges::find_if(
      lines, [](const std::string& line) { return line.find("log_lines_dropped") != std::string::npos; });
  ASSERT_NE(report, lines.end());
  EXPECT_EQ(parse(*report).at("lines").to_number<std::uint64_t>(), dropped);
  EXPECT_EQ(parse(*report).at("level"), "warning");
}

TEST(LogTest, AReaderThatIsGoneHoldsNobodyUp) {
  Pipe pipe;
  pipe.reading.reset();
  const auto begin = std::chrono::steady_clock::now();
  {
    Log log(LogFormat::text, pipe.writing.get());
    for (int i = 0; i < 10; ++i) log.add(LogLevel::info, "entry", {});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
}

TEST(LogTest, OneThatIsOffWritesNothing) {
  Pipe pipe;
  {
    Log log(LogFormat::none, pipe.writing.get());
    log.add(LogLevel::error, "entry", {});
  }
  pipe.writing.reset();
  EXPECT_TRUE(lines_of(pipe.reading.get()).empty());
}

TEST(LogTest, OfAFaultHasItsCodeAndNotItsSentence) {
  Pipe pipe;
  {
    Log log(LogFormat::json, pipe.writing.get());
    Event event{.session = "s", .sequence = {}, .timestamp = 1, .frame = 0, .body = {}};
    event.body = RecorderFault{.code = "hook_failed", .message = "what somebody said", .recoverable = true};
    log.add(event);
    event.body = TranscriptionComplete{};
    log.add(event);
  }
  pipe.writing.reset();
  const auto lines = lines_of(pipe.reading.get());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(parse(lines[0]).at("code"), "hook_failed");
  EXPECT_THAT(lines[0], Not(HasSubstr("somebody")));
}

// Of a server

class ServerLog : public testing::Test {
 protected:
  void start() {
    RecorderConfig config;
    config.vad.detector = "energy";
    config.transcription.transcriber = "none";
    config.session.root = folder / "sessions";
    ServerSettings settings;
    settings.log = LogFormat::json;
    settings.log_file = pipe.writing.get();
    token = make_token(folder / "tokens", Scopes::all());
    settings.tokens.add_file(folder / "tokens");
    server.emplace(config, std::move(settings));
  }

  /// Ends the server. What it has logged of an event, in order.
  std::vector<boost::json::value> end(std::string_view event) {
    server.reset();
    pipe.writing.reset();
    std::vector<boost::json::value> entries;
    for (const std::string& line : lines_of(pipe.reading.get())) {
      EXPECT_THAT(line, Not(HasSubstr(token)));
      if (text_of(parse(line).at("event")) == event) entries.push_back(parse(line));
    }
    return entries;
  }

  Pipe pipe;
  test::TemporaryDirectory folder;
  std::string token;
  std::optional<Server> server;
};

TEST_F(ServerLog, HasAnEntryForEachRequestWithoutItsSecrets) {
  start();
  const std::string bearer = "Authorization: Bearer " + token + "\r\n";
  const auto answered = test::get(server->url(), "/api/v1/sessions?limit=7", bearer);
  EXPECT_EQ(answered.status, 200);
  test::get(server->url(), "/api/v1/status?token=" + token);
  test::get(server->url(), "/api/v1/sessions/20200101_000000", bearer);
  test::get(server->url(), "/%1b%0a?x", bearer);
  const auto entries = end("request");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(text_of(entries[0].at("request")), answered.headers.at("x-request-id"));
  EXPECT_EQ(entries[0].at("client"), "127.0.0.1");
  EXPECT_EQ(entries[0].at("method"), "GET");
  EXPECT_EQ(entries[0].at("path"), "/api/v1/sessions");
  EXPECT_EQ(entries[0].at("route"), "list_sessions");
  EXPECT_EQ(entries[0].at("status"), 200);
  EXPECT_GT(entries[0].at("bytes").to_number<int>(), static_cast<int>(answered.body.size()));
  EXPECT_GE(entries[0].at("milliseconds").to_number<double>(), 0);
  EXPECT_EQ(entries[1].at("status"), 401);
  EXPECT_EQ(entries[1].at("level"), "warning");
  EXPECT_EQ(entries[1].at("path"), "/api/v1/status");
  EXPECT_EQ(entries[2].at("session"), "20200101_000000");
  EXPECT_EQ(entries[2].at("status"), 404);
  EXPECT_EQ(entries[3].at("path"), "/%1b%0a");
}

TEST_F(ServerLog, HasTheRecordingsOfStreamsAndTheEndOfTheServer) {
  start();
  test::Client client(server->url());
  ASSERT_EQ(client.upgrade("/api/v1/stream", "Authorization: Bearer " + token + "\r\n").status, 101);
  client.send_text(R"({"type":"hello","format":"s16","rate":16000})");
  const auto welcome = parse(client.message().value());
  client.send_text(R"({"type":"stop"})");
  while (client.message()) {
  }
  const auto recording = end("recording");
  ASSERT_GE(recording.size(), 2U);
  EXPECT_EQ(recording.front().at("state"), "recording");
  EXPECT_EQ(recording.front().at("session"), welcome.at("session"));
  EXPECT_EQ(recording.back().at("state"), "idle");
}

}  // namespace
}  // namespace dictum::server
