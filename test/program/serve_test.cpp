#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "base/unique_fd.hpp"
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

TEST_F(Serve, IsControlledByASocketAndSaysWhenItIsReadyAndStops) {
  const std::string notify = folder / "notify";
  const UniqueFD manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  notify.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto received = [&] {
    char bytes[100];
    const ssize_t size = ::recv(manager.get(), bytes, sizeof bytes, 0);
    return std::string(bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  };
  auto settings = serve();
  settings.environment["NOTIFY_SOCKET"] = notify;
  const auto without = run({"ctl", "status"});
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.err, AllOf(HasSubstr("dictum/control.sock"), HasSubstr("dictum serve")));
  test::RunningProgram program(settings);
  EXPECT_EQ(received(), "READY=1");
  EXPECT_EQ(run({"ctl", "status"}).out, "idle\n");
  EXPECT_THAT(run({"ctl", "toggle"}).out, StartsWith("recording 2"));
  EXPECT_THAT(run({"ctl", "pause", "--json"}).out, HasSubstr("\"paused\""));
  EXPECT_THAT(run({"ctl", "resume"}).out, StartsWith("recording 2"));
  EXPECT_THAT(run({"ctl", "start", "--socket", folder / "runtime" / "dictum" / "control.sock"}).out,
              StartsWith("recording 2"));
  EXPECT_THAT(run({"ctl", "toggle"}).out, StartsWith("idle 2"));
  EXPECT_EQ(run({"ctl", "note"}).exit_code, 1);
  program.send(SIGTERM);
  EXPECT_EQ(received(), "STOPPING=1");
  EXPECT_EQ(program.wait(std::chrono::seconds(15)).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "runtime" / "dictum" / "control.sock"));
}

TEST_F(Serve, HooksAreRunWithWhatARecordingSays) {
  const std::string out = folder / "out";
  std::ofstream(folder / "config.toml") << "[hooks]\non_text = [\"tee\", \"-a\", \"" << out << "\"]\n";
  auto recording = record({"--config", folder / "config.toml", "--input", tone(), "--vad", "energy", "--transcriber",
                           "simulated", "--duration", "6"});
  const auto result = test::run_program(recording);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(test::contents(out), HasSubstr("\"TranscriptionComplete\""));
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
