#pragma once

#include <stdexcept>

namespace dictum::program {

enum class ExitCode : int {
  success = 0,
  failure = 1,  ///< it failed while running
  usage = 2,    ///< the command line or the configuration is wrong; nothing has been done
};

/// What was asked for cannot be meant: exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace dictum::program
