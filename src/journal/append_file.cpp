#include "journal/append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/disk_error.hpp"

namespace dictum::journal {

AppendFile::AppendFile(const SessionFolder& folder, const std::filesystem::path& name)
    : path_(folder.path() / name), fd_(folder.open(name, O_WRONLY | O_CREAT | O_APPEND)) {
  struct stat status{};
  if (::fstat(fd_.get(), &status) != 0) throw_disk_error(errno, path_);
  size_ = status.st_size;
}

void AppendFile::append(std::string_view line) {
  if (waiting_.size() + line.size() <= kMaxPendingBytes || waiting_.empty()) waiting_ += line;
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

}  // namespace dictum::journal
