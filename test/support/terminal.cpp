#include "support/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/running_program.hpp"

namespace dictum::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTmux = "/usr/bin/tmux";

}  // namespace

bool Terminal::is_available() {
  return ::access(kTmux, X_OK) == 0;
}

Terminal::Terminal(const Settings& settings) {
  const auto fifo = folder_ / "output";
  if (::mkfifo(fifo.c_str(), 0600) != 0) throw std::system_error(errno, std::generic_category(), "mkfifo");
  output_ = UniqueFD(::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));

  std::vector<std::string> start{"-f",          "/dev/null",
                                 "new-session", "-d",
                                 "-x",          std::to_string(settings.width),
                                 "-y",          std::to_string(settings.height)};
  std::map<std::string, std::string> environment{
      {"TERM", "xterm-256color"}, {"COLORTERM", "truecolor"}, {"NO_COLOR", ""}, {"LC_ALL", "C.UTF-8"}};
  for (const auto& [name, value] : settings.environment) environment[name] = value;
  for (const auto& [name, value] : environment) {
    if (value.empty()) continue;
    start.insert(start.end(), {"-e", name + "=" + value});
  }
  // The program waits until everything that it will write is watched.
  const auto go = folder_ / "go";
  if (::mkfifo(go.c_str(), 0600) != 0) throw std::system_error(errno, std::generic_category(), "mkfifo");
  start.push_back(
      fmt::format("export TERM={}; cat '{}' >/dev/null; {}", environment["TERM"], go.string(), settings.command));
  tmux(start);
  tmux({"set-option", "-g", "remain-on-exit", "on"});
  tmux({"pipe-pane", "-o", fmt::format("cat >'{}'", fifo.string())});
  const UniqueFD begin(::open(go.c_str(), O_WRONLY | O_CLOEXEC));
}

Terminal::~Terminal() {
  try {
    tmux({"kill-server"});
  } catch (const std::exception&) {  // it has gone already
  }
}

void Terminal::close() {
  tmux({"kill-server"});
}

void Terminal::press(std::string_view key) {
  tmux({"send-keys", std::string(key)});
}

void Terminal::type(std::string_view text) {
  tmux({"send-keys", "-l", std::string(text)});
}

void Terminal::click(int column, int row) {
  type(fmt::format("\x1b[<0;{};{}M", column + 1, row + 1));
  type(fmt::format("\x1b[<0;{};{}m", column + 1, row + 1));
}

void Terminal::click_on(std::string_view text) {
  const std::string shown = wait_for(text);
  const auto before = shown.begin() + static_cast<std::ptrdiff_t>(shown.find(text));
  const auto row = std::count(shown.begin(), before, '\n');
  const auto line = std::find(std::reverse_iterator(before), shown.rend(), '\n').base();
  const auto is_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  click(static_cast<int>(std::count_if(line, before, is_character)), static_cast<int>(row));
}

void Terminal::resize(int width, int height) {
  tmux({"resize-window", "-x", std::to_string(width), "-y", std::to_string(height)});
}

std::string Terminal::screen() const {
  return tmux({"capture-pane", "-p"});
}

std::string Terminal::variable(std::string_view name) const {
  std::string value = tmux({"display-message", "-p", fmt::format("#{{{}}}", name)});
  while (value.ends_with('\n')) value.pop_back();
  return value;
}

std::string Terminal::wait_for(std::string_view text, std::chrono::milliseconds within) {
  return wait_until([text](const std::string& shown) { return shown.find(text) != std::string::npos; },
                    fmt::format("the screen to show \"{}\"", text), within);
}

std::string Terminal::wait_until_gone(std::string_view text, std::chrono::milliseconds within) {
  return wait_until([text](const std::string& shown) { return shown.find(text) == std::string::npos; },
                    fmt::format("\"{}\" to go from the screen", text), within);
}

template <class Enough>
std::string Terminal::wait_until(Enough enough, std::string_view what, std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  for (;;) {
    std::array<char, 65536> written{};
    while (::read(output_.get(), written.data(), written.size()) > 0) {
    }
    std::string shown = screen();
    if (enough(shown)) return shown;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= 0ms) throw std::runtime_error(fmt::format("waited in vain for {}; the screen is\n{}", what, shown));
    pollfd readable{output_.get(), POLLIN, 0};
    // The bytes come here and to tmux's screen by different ways, so now and then it is looked at anyway.
    ::poll(&readable, 1, static_cast<int>(std::min<std::chrono::milliseconds>(left, 200ms).count()));
  }
}

std::string Terminal::tmux(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"-S", (folder_ / "tmux").string(), "-u"});
  const auto result = run_program({.executable = kTmux,
                                   .arguments = std::move(arguments),
                                   .environment = {{"TMUX", ""}, {"TERM", "xterm-256color"}},
                                   .input = {},
                                   .keeps_input_open = false,
                                   .output = std::nullopt,
                                   .file_size_limit = std::nullopt},
                                  10s);
  if (result.exit_code != 0) throw std::runtime_error("tmux: " + result.err);
  return result.out;
}

}  // namespace dictum::test
