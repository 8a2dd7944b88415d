#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace dictum {

/// A program that runs without a shell in a process group of its own, with this process's environment and none of its
/// descriptors but those that are named. Killed with its group and reaped with this, at the latest.
///
/// Thread: the owner's.
class ChildProgram {
 public:
  /// `command` is the program, which `find_command` finds, and its arguments. The descriptors become its standard
  /// streams; -1: /dev/null. It has `kept` under its own number; -1: no other descriptor. `environment` replaces
  /// variables of this process's environment, and adds to them.
  ChildProgram(const std::vector<std::string>& command, int in, int out, int err, int kept = -1,
               const std::map<std::string, std::string>& environment = {});
  ~ChildProgram();
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  /// errno where it could not be started; else 0.
  int error() const { return error_; }

  /// Readable once it has ended.
  int ended() const { return ended_.get(); }

  /// Kills it and what is left of its group.
  void kill() const;

  /// Waits for its end, once. The exit code, or minus the number of the signal that ended it.
  int wait();

 private:
  pid_t pid_ = -1;  // not reaped yet, so that it is no other's; else -1
  int error_ = 0;
  UniqueFD ended_;
};

}  // namespace dictum
