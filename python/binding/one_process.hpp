#pragma once

#include <unistd.h>

#include "dictum/error.hpp"

namespace dictum::python {

/// Remembers which process made something with threads behind it: after a fork the child has the memory and not the
/// threads, so every call would wait for ever, and every lock may be held by nobody. A value; safe from any thread.
class OneProcess {
 public:
  bool is_this_one() const noexcept { return getpid() == made_in_; }

  void check() const {
    if (is_this_one()) return;
    throw RecorderError(Errc::invalid_state,
                        "This recorder was started before a fork and cannot be used in the child process: make "
                        "another one there, or start processes with multiprocessing's \"spawn\".");
  }

 private:
  pid_t made_in_ = getpid();
};

}  // namespace dictum::python
