#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/unique_fd.hpp"

namespace dictum {

/// `fd` moved out of the range that is given to children: the host may have closed its own standard streams. Empty
/// where no descriptor is left; errno says why.
inline UniqueFD above_standard(UniqueFD fd) {
  if (fd.get() > 9 || !fd) return fd;
  return UniqueFD(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));
}

inline void set_nonblocking(const UniqueFD& fd) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

/// Both ends of a pipe to a child. False where no descriptor is left; errno says why.
struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    reading = UniqueFD(ends[0]);
    writing = UniqueFD(ends[1]);
    reading = above_standard(std::move(reading));
    writing = above_standard(std::move(writing));
  }
  explicit operator bool() const noexcept { return reading && writing; }

  UniqueFD reading;
  UniqueFD writing;
};

}  // namespace dictum
