#pragma once

#include <sys/eventfd.h>

#include <cstdint>

#include "base/unique_fd.hpp"

namespace dictum {

/// Wakes whoever polls its descriptor: readable from the first `notify` until `clear`. Safe from any thread. Without a
/// descriptor, where none is left or the object is `kNone`, nothing happens.
class EventFD {
 public:
  EventFD() noexcept : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  /// None, and none is opened.
  enum None { kNone };
  explicit EventFD(None) noexcept {}

  /// -1 where there is none.
  int get() const noexcept { return fd_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

  void notify() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);  // full means: it is readable
  }

  /// Whether it had been notified.
  bool clear() const noexcept {
    std::uint64_t count = 0;
    return ::read(fd_.get(), &count, sizeof count) == sizeof count;
  }

 private:
  UniqueFD fd_;
};

}  // namespace dictum
