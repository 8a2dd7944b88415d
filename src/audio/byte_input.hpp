#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"

namespace dictum::audio {

/// The bytes of a descriptor (a regular file, a pipe, a socket), read without blocking for longer than asked.
///
/// One thread at a time; owned by the reader of a sound. A failed read ends the input, and `error` is its errno.
class ByteInput {
 public:
  enum class Arrival { bytes, nothing, end };

  explicit ByteInput(UniqueFD fd);

  /// Appends up to `count` bytes to `bytes()`, waiting up to `patience` for the first of them.
  Arrival receive(std::chrono::milliseconds patience, std::size_t count);

  /// What was received and not consumed.
  std::span<const std::byte> bytes() const { return std::span(buffer_).subspan(begin_); }
  void consume(std::size_t count) { begin_ += count; }

  /// Continues at `offset` of a regular file, with nothing received.
  bool seek(std::int64_t offset);

  bool is_regular() const { return is_regular_; }
  std::int64_t size() const { return size_; }  ///< of a regular file, from where it began on; else -1
  bool has_ended() const { return has_ended_; }
  int error() const { return error_; }
  int descriptor() const { return fd_.get(); }
  UniqueFD release() { return std::move(fd_); }

 private:
  UniqueFD fd_;
  bool is_regular_ = false;
  std::int64_t start_ = 0;  // standard input may be a file that was read in part
  std::int64_t size_ = -1;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  bool has_ended_ = false;
  int error_ = 0;
};

}  // namespace dictum::audio
