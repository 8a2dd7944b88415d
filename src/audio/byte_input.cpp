#include "audio/byte_input.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace dictum::audio {

ByteInput::ByteInput(UniqueFD fd) : fd_(std::move(fd)) {
  struct stat status{};
  if (::fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  is_regular_ = true;
  start_ = std::max<off_t>(::lseek(fd_.get(), 0, SEEK_CUR), 0);
  size_ = std::max<std::int64_t>(status.st_size - start_, 0);
}

ByteInput::Arrival ByteInput::receive(std::chrono::milliseconds patience, std::size_t count) {
  if (has_ended_) return Arrival::end;
  if (!is_regular_) {  // a descriptor that polls readable does not block on read()
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const int events = ::poll(&ready, 1, static_cast<int>(patience.count()));
    if (events == 0 || (events < 0 && errno == EINTR)) return Arrival::nothing;
  }
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  const std::size_t before = buffer_.size();
  buffer_.resize(before + count);
  const ssize_t received = ::read(fd_.get(), buffer_.data() + before, count);
  const int error = received < 0 ? errno : 0;
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
  if (received > 0) return Arrival::bytes;
  if (error == EINTR || error == EAGAIN) return Arrival::nothing;
  has_ended_ = true;
  error_ = error;
  return Arrival::end;
}

bool ByteInput::seek(std::int64_t offset) {
  if (!is_regular_ || offset < 0 || offset > size_ || ::lseek(fd_.get(), start_ + offset, SEEK_SET) < 0) return false;
  buffer_.clear();
  begin_ = 0;
  has_ended_ = false;
  return true;
}

}  // namespace dictum::audio
