#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"

namespace dictum::test {

struct ProgramSettings {
  std::filesystem::path executable;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< on top of the test's own; an empty value removes the variable
  std::string input;                               ///< what standard input says before it ends
  bool keeps_input_open = false;                   ///< standard input does not end before `end_input`
  std::optional<std::filesystem::path> output;     ///< where standard output goes, in place of `out`
  std::optional<std::uint64_t> file_size_limit;    ///< as on a disk that is full: no file grows beyond so many bytes
};

struct ProgramResult {
  int exit_code = -1;  ///< -1 where a signal ended it
  int signal = 0;      ///< which one
  std::string out;
  std::string err;
};

/// A program under test: what it says is collected, and nothing of it outlives the object. Every wait has a deadline;
/// one that passes throws std::runtime_error with all that the program said until then.
///
/// Lives on the test's thread.
class RunningProgram {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  explicit RunningProgram(ProgramSettings settings);
  ~RunningProgram();
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  void send(int signal) const;

  /// Adds to what standard input says; it is fed while waiting.
  void feed(std::string_view bytes) { to_feed_ += bytes; }
  void end_input() { keeps_input_open_ = false; }

  /// Waits until standard output holds `count` times `text`.
  void wait_for_output(std::string_view text, int count = 1);

  /// What standard output has said so far.
  const std::string& out() const { return result_.out; }

  /// Waits for the end.
  ProgramResult wait(std::chrono::milliseconds within = kPatience);

 private:
  void talk_until(const std::function<bool()>& enough, std::chrono::milliseconds within, std::string_view what);
  void feed_some();
  void end();

  pid_t pid_ = -1;
  UniqueFD input_;
  UniqueFD output_;
  UniqueFD error_;
  bool keeps_input_open_;
  std::string to_feed_;
  ProgramResult result_;
};

/// Runs a program to its end.
ProgramResult run_program(ProgramSettings settings, std::chrono::milliseconds within = RunningProgram::kPatience);

}  // namespace dictum::test
