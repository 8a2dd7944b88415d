#pragma once

#include <termios.h>

#include <functional>
#include <string>

#include "base/unique_fd.hpp"

namespace dictum::program {

/// Gives the terminal back as it was: when it is destroyed, and where a defect of ours kills the process. One at a
/// time; the main thread owns it, around everything that changes the terminal.
class TerminalGuard {
 public:
  TerminalGuard();
  ~TerminalGuard();
  TerminalGuard(const TerminalGuard&) = delete;
  TerminalGuard& operator=(const TerminalGuard&) = delete;

  /// From here on a signal that kills (SIGSEGV, SIGABRT and their like) restores the terminal first. To be called after
  /// whoever else takes these signals.
  void arm();

  /// As it was, for as long as the process is stopped; then `claim` before anybody else changes the terminal again.
  void restore();
  void claim();

 private:
  termios before_{};
};

/// What libraries write to standard error would land in the middle of the screen: while this lives it goes into a pipe
/// instead. What nobody reads is dropped.
class QuietStandardError {
 public:
  QuietStandardError();
  ~QuietStandardError();
  QuietStandardError(const QuietStandardError&) = delete;
  QuietStandardError& operator=(const QuietStandardError&) = delete;

  /// The reading end, which does not block; to be taken once.
  int take_reader() { return reader_.release(); }

 private:
  UniqueFD before_;
  UniqueFD reader_;
};

}  // namespace dictum::program
