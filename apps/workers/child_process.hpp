#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

namespace dictum::workers {

/// What a program left behind.
struct ChildOutput {
  std::string text;        ///< its standard output
  std::string last_words;  ///< the last line of its standard error, for a person
  int exit_code{};         ///< or minus the number of the signal that ended it
};

/// Runs a program without a shell, in a process group of its own and with nothing on its standard input, and waits for
/// its end; whatever it started and left is then killed. `argv[0]` is looked for by `find_command`. It has
/// the descriptor `kept` of this process, and no other; -1: none. Blocks.
///
/// Throws RecorderError: transcriber_missing where it cannot be started, transcription_failed where it prints more than
/// `most` bytes, cancelled; the program and its group are dead then.
ChildOutput run_child(const std::vector<std::string>& argv, std::size_t most, std::stop_token cancelled, int kept = -1);

}  // namespace dictum::workers
