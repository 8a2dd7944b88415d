#pragma once

#include <unistd.h>

#include <utility>

namespace dictum {

/// Owns a file descriptor.
class UniqueFD {
 public:
  UniqueFD() = default;
  explicit UniqueFD(int fd) noexcept : fd_(fd) {}
  UniqueFD(UniqueFD&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFD& operator=(UniqueFD&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFD() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace dictum
