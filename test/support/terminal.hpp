#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::test {

/// A terminal with a program in it: a tmux server of its own, which dies with the object and with everything in it.
///
/// Threads: the test's. Every wait has a deadline; one that passes throws std::runtime_error with the screen.
class Terminal {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  static bool is_available();

  struct Settings {
    std::string command;  ///< for sh
    int width = 80;
    int height = 24;
    std::map<std::string, std::string> environment;
  };
  explicit Terminal(const Settings& settings);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Keys as tmux names them: "q", "Space", "Escape", "C-z".
  void press(std::string_view key);
  /// Characters as they are.
  void type(std::string_view text);
  void click(int column, int row);  // from 0
  /// On the first place that shows this text; waits for it. No wide characters before it in its row.
  void click_on(std::string_view text);
  void resize(int width, int height);

  std::string screen() const;
  /// A variable of tmux, "alternate_on" for example.
  std::string variable(std::string_view name) const;

  /// Waits until the screen shows, or no longer shows, that text; returns the screen.
  std::string wait_for(std::string_view text, std::chrono::milliseconds within = kPatience);
  std::string wait_until_gone(std::string_view text, std::chrono::milliseconds within = kPatience);

  /// As when its window is closed.
  void close();

 private:
  std::string tmux(std::vector<std::string> arguments) const;
  template <class Enough>
  std::string wait_until(Enough enough, std::string_view what, std::chrono::milliseconds within);

  TemporaryDirectory folder_;
  UniqueFD output_;  // readable whenever the program has written something
};

}  // namespace dictum::test

/// Skips the test, visibly, where there is no tmux.
#define DICTUM_TERMINAL_OR_SKIP() \
  if (!::dictum::test::Terminal::is_available()) GTEST_SKIP() << "tmux is not installed"
