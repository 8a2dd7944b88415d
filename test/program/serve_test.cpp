#include <sys/stat.h>

#include <csignal>

#include "program_fixture.hpp"
#include "server/client.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"

namespace dictum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class Serve : public test::ProgramTest {
 protected:
  /// A recording in real time that would go on for minutes.
  test::ProgramSettings serve(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"serve",
                                       "--output-dir",
                                       folder / "sessions",
                                       "--vad",
                                       "energy",
                                       "--transcriber",
                                       "simulated",
                                       "--min-silence-ms",
                                       "200",
                                       "--post-roll-ms",
                                       "100",
                                       "--input",
                                       beeps(60)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return dictum(std::move(arguments));
  }

  /// Where it says that it listens.
  static std::string url(test::RunningProgram& program) {
    program.wait_for_output("\n");
    const std::string line = program.out();
    EXPECT_THAT(line, StartsWith("Listening on http://127.0.0.1:"));
    return line.substr(line.find("http"), line.find('\n') - line.find("http"));
  }
};

class ServeSignal : public Serve, public testing::WithParamInterface<int> {};

TEST_P(ServeSignal, EndsTheRecordingAndTheServerWithAllAudioSafe) {
  test::RunningProgram program(serve());
  const std::string at = url(program);
  test::Client client(at);
  client.request("GET", "/api/v1/events?types=SpeechDetected,RecordingStateChanged");
  EXPECT_EQ(client.head().status, 200);
  EXPECT_EQ(test::post(at, "/api/v1/commands/start_recording").status, 200);
  for (auto event = client.event(); event && event->data.find("SpeechDetected") == std::string::npos;) {
    event = client.event();
  }
  program.send(GetParam());
  const auto result = program.wait(std::chrono::seconds(15));
  EXPECT_EQ(result.exit_code, 0) << "signal " << result.signal << " " << result.err;
  std::string last;
  while (const auto event = client.event()) last = event->data;
  EXPECT_THAT(last, HasSubstr("\"idle\""));
  EXPECT_THAT(test::grammar_violations(session(), {.transcription_may_be_pending = true}), IsEmpty());
  EXPECT_TRUE(session::read_manifest(session()).stopped_at);
}

INSTANTIATE_TEST_SUITE_P(Signals, ServeSignal, testing::Values(SIGINT, SIGTERM),
                         [](const auto& test) { return test.param == SIGINT ? "INT" : "TERM"; });

TEST_F(Serve, AnAddressThatOthersReachNeedsAToken) {
  const auto result = test::run_program(serve({"--address", "0.0.0.0"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--new-token"), HasSubstr("--token-file")));
}

TEST_F(Serve, ATokenIsShownOnceAndOpensTheServer) {
  const std::string file = folder / "tokens";
  const auto made = run({"serve", "--new-token", file, "--scope", "listen"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const std::string token = made.out.substr(0, made.out.size() - 1);
  EXPECT_THAT(token, StartsWith("dictum_"));
  test::RunningProgram program(serve({"--token-file", file}));
  const std::string at = url(program);
  EXPECT_EQ(test::get(at, "/api/v1/status").status, 401);
  EXPECT_EQ(test::get(at, "/api/v1/status", "Authorization: Bearer " + token + "\r\n").status, 200);
  EXPECT_EQ(test::get(at, "/api/v1/sessions", "Authorization: Bearer " + token + "\r\n").status, 403);
}

TEST_F(Serve, WhatCannotBeMeantIsRefusedBeforeItListens) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--address", "localhost"},
                                             {"--port", "70000"},
                                             {"--scope", "listen"},
                                             {"--new-token", folder / "tokens", "--scope", "all"}}) {
    const auto result = test::run_program(serve(wrong));
    EXPECT_EQ(result.exit_code, 2) << wrong.front() << " " << result.err;
    EXPECT_THAT(result.out, IsEmpty());
  }
  EXPECT_EQ(test::run_program(serve({"--token-file", folder / "missing"})).exit_code, 1);
}

}  // namespace
}  // namespace dictum
