#include "tui_terminal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

namespace dictum::program {
namespace {

// Signal handlers have nowhere else to look. Written while no handler is installed.
termios restored_attributes{};

// No mouse, wrapped lines, a cursor, the main screen, plain text.
constexpr std::string_view kRestore =
    "\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m\r";

constexpr std::array kFatal = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT};

/// Only what is safe in a signal handler.
void give_back(int signal) {
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, kRestore.data(), kRestore.size());
  ::tcsetattr(STDIN_FILENO, TCSANOW, &restored_attributes);
  errno = error;
  ::raise(signal);  // SA_RESETHAND: this time it kills
}

}  // namespace

TerminalGuard::TerminalGuard() {
  if (::tcgetattr(STDIN_FILENO, &before_) != 0) throw std::system_error(errno, std::generic_category(), "tcgetattr");
  restored_attributes = before_;
  claim();
}

TerminalGuard::~TerminalGuard() {
  for (const int signal : kFatal) std::signal(signal, SIG_DFL);
  restore();
}

void TerminalGuard::claim() {
  // Ctrl-S would stop the screen, and whoever draws it, until somebody finds Ctrl-Q.
  termios ours = before_;
  ours.c_iflag &= ~static_cast<tcflag_t>(IXON);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &ours);
}

void TerminalGuard::arm() {
  struct sigaction action{};
  action.sa_handler = give_back;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
  sigemptyset(&action.sa_mask);
  for (const int signal : kFatal) ::sigaction(signal, &action, nullptr);
}

void TerminalGuard::restore() {
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, kRestore.data(), kRestore.size());
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

QuietStandardError::QuietStandardError() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  reader_ = UniqueFD(ends[0]);
  const UniqueFD writer(ends[1]);
  before_ = UniqueFD(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  ::dup2(writer.get(), STDERR_FILENO);
}

QuietStandardError::~QuietStandardError() {
  if (before_) ::dup2(before_.get(), STDERR_FILENO);
}

}  // namespace dictum::program
