#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "base/unique_fd.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/test_data.hpp"
#include "tui_program.hpp"

/// However the terminal UI ends, the terminal is as it was and the recording is whole.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

const std::string kSample = "--input '" + test::project_file("samples/voice_note.wav").string() + "'";

/// The workers among the processes that this one started, and these.
std::vector<pid_t> workers_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat(std::istreambuf_iterator<char>(file), {});
    const std::size_t open = stat.find('(');
    const std::size_t close = stat.rfind(')');
    if (close == std::string::npos || std::stoi(stat.substr(close + 4)) != parent) continue;
    if (stat.substr(open + 1, close - open - 1).starts_with("dictum-worker")) found.push_back(std::stoi(name));
    for (const pid_t deeper : workers_of(std::stoi(name))) found.push_back(deeper);
  }
  return found;
}

class TUIWaysOut : public test::TUIProgram {
 protected:
  /// Of the one session that the process leaves at its end.
  session::Manifest manifest_left() {
    const UniqueFD process(static_cast<int>(::syscall(SYS_pidfd_open, pid(), 0)));
    pollfd ended{process.get(), POLLIN, 0};
    EXPECT_TRUE(!process || ::poll(&ended, 1, 20'000) == 1) << "it still runs";
    const auto all = sessions();
    if (all.size() != 1) throw std::runtime_error(std::to_string(all.size()) + " sessions");
    return session::read_manifest(all.front());
  }

  /// The same, and nothing of it is left to do.
  session::Manifest finished_session() {
    auto manifest = manifest_left();
    EXPECT_THAT(test::grammar_violations(sessions().front()), IsEmpty());
    return manifest;
  }

  void kill_while_it_records(int signal) {
    run_tui(kSample);
    terminal->wait_for("segment 0");
    ::kill(pid(), signal);
  }
};

TEST_F(TUIWaysOut, Quit) {
  run_tui("");
  terminal->wait_for("Press SPACE and speak.");
  EXPECT_EQ(terminal->variable("alternate_on"), "1");
  terminal->press("q");
  terminal->wait_for("exit 0");
  expect_terminal_as_it_was();
}

TEST_F(TUIWaysOut, QuitFinishesTheRecordingAndItsTexts) {
  run_tui(kSample, R"({"latency_ms": 1500})");
  terminal->wait_for("◌");
  terminal->press("q");
  terminal->wait_for("being transcribed");
  terminal->wait_for("exit 0");
  expect_terminal_as_it_was();
  const auto manifest = finished_session();
  for (const auto& segment : manifest.segments) EXPECT_EQ(segment.status, session::SegmentStatus::done);
}

TEST_F(TUIWaysOut, ASecondQuitLeavesTheTextsToTheNextStart) {
  run_tui(kSample, R"({"do": "hang"})");
  terminal->wait_for("2 queued");
  terminal->press("q");
  terminal->wait_for("segments are still being transcribed");
  terminal->press("q");
  terminal->wait_for("exit 0", 5s);
  expect_terminal_as_it_was();
  const auto manifest = manifest_left();
  EXPECT_TRUE(manifest.stopped_at);
  for (const auto& segment : manifest.segments) EXPECT_EQ(segment.status, session::SegmentStatus::queued);
}

TEST_F(TUIWaysOut, EscapeTakesAQuitBack) {
  run_tui(kSample, R"({"latency_ms": 3000})");
  terminal->wait_for("◌");
  terminal->press("q");
  terminal->wait_for("being transcribed");
  terminal->press("Escape");
  terminal->wait_for("segment 0");
  terminal->press("q");
  terminal->wait_for("exit 0");
}

TEST_F(TUIWaysOut, Terminate) {
  kill_while_it_records(SIGTERM);
  terminal->wait_for("exit 0");
  expect_terminal_as_it_was();
  EXPECT_TRUE(finished_session().stopped_at);
}

TEST_F(TUIWaysOut, Interrupt) {
  run_tui(kSample);
  terminal->wait_for("segment 0");
  terminal->press("C-c");
  terminal->wait_for("exit 0");
  expect_terminal_as_it_was();
  EXPECT_TRUE(finished_session().stopped_at);
}

TEST_F(TUIWaysOut, HangUp) {
  kill_while_it_records(SIGHUP);
  terminal->wait_for("exit 0");
  expect_terminal_as_it_was();
  const auto manifest = finished_session();
  EXPECT_TRUE(manifest.stopped_at);
  for (const auto& segment : manifest.segments) EXPECT_TRUE(segment.is_settled()) << segment.index;
}

TEST_F(TUIWaysOut, ATerminalThatIsClosed) {
  run_tui(kSample, R"({"latency_ms": 700})");
  terminal->wait_for("listening…");
  const pid_t process = pid();
  ASSERT_EQ(::kill(process, 0), 0);
  terminal->close();
  const auto manifest = finished_session();
  EXPECT_TRUE(manifest.stopped_at);
  ASSERT_FALSE(manifest.segments.empty());
  for (const auto& segment : manifest.segments) EXPECT_TRUE(segment.is_settled()) << segment.index;
}

TEST_F(TUIWaysOut, ASecondSignalWaitsForNoText) {
  run_tui(kSample, R"({"do": "hang"})");
  terminal->wait_for("1 queued");
  ::kill(pid(), SIGTERM);
  terminal->wait_until_gone("Dictum");
  EXPECT_EQ(terminal->variable("alternate_on"), "0");
  ::kill(pid(), SIGTERM);
  terminal->wait_for("exit 0", 5s);
  expect_terminal_as_it_was();
}

class TUIDies : public TUIWaysOut, public testing::WithParamInterface<int> {};

TEST_P(TUIDies, AndGivesTheTerminalBack) {
  kill_while_it_records(GetParam());
  terminal->wait_for("exit " + std::to_string(128 + GetParam()));
  expect_terminal_as_it_was();
}

INSTANTIATE_TEST_SUITE_P(Signals, TUIDies, testing::Values(SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL),
                         [](const auto& tested) { return std::string(::sigabbrev_np(tested.param)); });

TEST_F(TUIWaysOut, AnException) {
  run(THROWING_WINDOW);
  terminal->wait_for("Press SPACE and speak.");
  terminal->press("Space");
  terminal->wait_for("caught a defect");
  expect_terminal_as_it_was();
}

TEST_F(TUIWaysOut, AWorkerThatIsKilledIsNoWayOut) {
  run_tui(kSample, R"({"latency_ms": 300})");
  terminal->wait_for("segment 0");
  const auto workers = workers_of(pid());
  ASSERT_FALSE(workers.empty());
  for (const pid_t worker : workers) ::kill(worker, SIGKILL);
  terminal->wait_for("segment 1");
  EXPECT_EQ(terminal->variable("alternate_on"), "1");
  terminal->press("q");
  terminal->wait_for("exit 0");
  expect_terminal_as_it_was();
}

TEST_F(TUIWaysOut, StopsAndGoesOnAsTheShellWantsIt) {
  terminal.emplace(test::Terminal::Settings{.command = "cd '" + folder.path().string() + "'; PS1='ready> ' exec sh -i",
                                            .width = 80,
                                            .height = 24,
                                            .environment = {{"DICTUM_WORKER_DIR", DICTUM_BIN_DIR}}});
  terminal->wait_for("ready>");
  terminal->type("stty -a >before\n");
  terminal->type(dictum("") + "\n");
  terminal->wait_for("Press SPACE and speak.");
  terminal->press("C-z");
  terminal->wait_for("ready>");
  EXPECT_EQ(terminal->variable("alternate_on"), "0");
  // What is typed is seen too, so it says it in other words.
  terminal->type("stty -a >after; cmp before after && echo as it 'was'\n");
  terminal->wait_for("as it was");
  terminal->type("fg\n");
  terminal->wait_for("Press SPACE and speak.");
  EXPECT_EQ(terminal->variable("alternate_on"), "1");
  terminal->press("C-s");  // which stops no screen
  terminal->press("?");
  terminal->wait_for("this page");
  terminal->press("Escape");
  terminal->wait_until_gone("this page");
  terminal->press("q");
  terminal->wait_for("ready>");
  terminal->type("stty -a >after; cmp before after && echo still as it 'was'\n");
  terminal->wait_for("still as it was");
}

}  // namespace
}  // namespace dictum
