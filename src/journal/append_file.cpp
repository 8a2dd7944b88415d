#include "journal/append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "journal/disk.hpp"

namespace dictum::journal {

AppendFile::AppendFile(std::filesystem::path path)
    : path_(std::move(path)), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  struct stat status{};
  if (!fd_ || ::fstat(fd_.get(), &status) != 0) throw_disk_error(errno, path_);
  size_ = status.st_size;
}

void AppendFile::append(std::string_view line) {
  if (waiting_.size() + line.size() <= kMostWaiting || waiting_.empty()) waiting_ += line;
  ssize_t written = 0;
  do {
    written = ::write(fd_.get(), waiting_.data(), waiting_.size());
  } while (written < 0 && errno == EINTR);
  if (std::cmp_equal(written, waiting_.size())) {
    size_ += written;
    waiting_.clear();
    return;
  }
  const int error = written < 0 ? errno : ENOSPC;  // a part of a line fits only where the rest of it does not
  if (written > 0 && ::ftruncate(fd_.get(), size_) != 0) size_ += written;
  throw_disk_error(error, path_);
}

void AppendFile::cut(std::int64_t size) {
  if (::ftruncate(fd_.get(), size) != 0) throw_disk_error(errno, path_);
  size_ = size;
}

void AppendFile::sync() {
  if (::fdatasync(fd_.get()) != 0) throw_disk_error(errno, path_);
}

}  // namespace dictum::journal
