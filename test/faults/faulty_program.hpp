#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/unique_fd.hpp"
#include "support/running_program.hpp"

namespace dictum::test {

/// Calls of the system that fail, or stall, in a program under test.
struct Fault {
  std::string call;    ///< write, truncate, sync, rename, remove, open, folder, descriptor, process, thread
  int first = 1;       ///< that is hit; 0: none, they are only counted
  int count = 0;       ///< how many are hit; 0: all from there on
  int error = 0;       ///< errno; 0: they stall
  bool half = false;   ///< half of the first write is written
  bool armed = false;  ///< calls count from `arm()` on; else from the start
};

std::string name_of(const Fault& fault);

/// A fault in one run of `dictum`, by a library that is preloaded into it (faulty_calls.cpp). What `dictum` starts is
/// left alone. Of the calls on files, those below `root` are meant.
///
/// Lives on the test's thread; outlives the run.
class FaultyRun {
 public:
  FaultyRun(Fault fault, std::filesystem::path folder, const std::filesystem::path& root);
  ~FaultyRun();
  FaultyRun(const FaultyRun&) = delete;
  FaultyRun& operator=(const FaultyRun&) = delete;

  ProgramSettings with_fault(ProgramSettings settings) const;

  void arm() const;

  /// So far: calls that counted, and those of them that were hit.
  int calls();
  bool has_hit();

  /// False where none was hit within that time.
  bool wait_for_hit(std::chrono::milliseconds within);

 private:
  void read_log();

  const Fault fault_;
  const std::filesystem::path folder_;
  const std::filesystem::path root_;
  UniqueFD log_;
  int calls_ = 0;
  int hits_ = 0;
};

}  // namespace dictum::test
