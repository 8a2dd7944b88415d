#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"
#include "support/terminal.hpp"

namespace dictum::test {

/// `dictum tui` in a terminal, with a simulated recogniser. When it has ended, the screen says "exit" and how, and then
/// whether the terminal is as it was.
class TUIProgram : public testing::Test {
 protected:
  void SetUp() override { DICTUM_TERMINAL_OR_SKIP(); }

  static std::string shell(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

  /// `script`: for the simulated worker.
  std::string dictum(const std::string& arguments, const std::string& script = R"({"latency_ms": 50})") {
    std::ofstream(folder / "script.json") << script;
    return fmt::format("{} tui --output-dir {} --transcriber simulated --simulated-script {} {}", DICTUM_PROGRAM,
                       shell(folder / "sessions"), shell(folder / "script.json"), arguments);
  }

  void run(const std::string& command, int width = 80, int height = 24) {
    const std::string file = shell(folder / "before");
    terminal.emplace(Terminal::Settings{
        .command = fmt::format("cd {0}; stty -a >{1}; sh -c 'echo $$ >{2}; exec {3}'; echo exit $?; stty -a >{4}; "
                               "cmp {1} {4} && echo the terminal is as it was; exec sleep 600",
                               shell(folder.path()), file, "pid", escaped(command), shell(folder / "after")),
        .width = width,
        .height = height,
        .environment = {{"DICTUM_WORKER_DIR", DICTUM_BIN_DIR}, {"DICTUM_CONFIG", config}}});
  }

  void run_tui(const std::string& arguments, const std::string& script = R"({"latency_ms": 50})", int width = 80,
               int height = 24) {
    run(dictum(arguments, script), width, height);
  }

  static std::string escaped(const std::string& command) {
    std::string out;
    for (const char c : command) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out;
  }

  pid_t pid() const {
    pid_t pid = 0;
    std::ifstream(folder / "pid") >> pid;
    return pid;
  }

  void expect_terminal_as_it_was() {
    terminal->wait_for("the terminal is as it was");
    EXPECT_EQ(terminal->variable("alternate_on"), "0");
    EXPECT_EQ(terminal->variable("mouse_any_flag"), "0");
    EXPECT_EQ(terminal->variable("cursor_flag"), "1");
    EXPECT_EQ(terminal->variable("wrap_flag"), "1");
  }

  std::vector<std::filesystem::path> sessions() const {
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "sessions", none)) {
      if (entry.is_directory()) found.push_back(entry.path());
    }
    return found;
  }

  static std::string contents(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  TemporaryDirectory folder;
  std::string config;
  std::optional<Terminal> terminal;
};

}  // namespace dictum::test
