#include "journal/append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/disk_error.hpp"
#include "journal/file_replacement.hpp"

namespace dictum::journal {

AppendFile::AppendFile(const SessionFolder& folder, const std::filesystem::path& name)
    : name_(name), path_(folder.path() / name), fd_(folder.open(name, O_RDWR | O_CREAT | O_APPEND)) {
  struct stat status{};
  if (::fstat(fd_.get(), &status) != 0) throw_disk_error(errno, path_);
  size_ = status.st_size;
}

void AppendFile::reserve(std::int64_t bytes) {
  reserve_ = bytes;
  renew_reserve();
}

/// In steps, so that not every line asks for room.
void AppendFile::renew_reserve() noexcept {
  if (size_ + reserve_ / 2 < reserved_to_) return;
  if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, size_, reserve_) == 0) {
    reserved_to_ = size_ + reserve_;
  } else if (errno != ENOSPC && errno != EDQUOT && errno != EINTR) {
    reserve_ = 0;  // the file system cannot do it: not asked again with each line
  }
}

void AppendFile::release_reserve() noexcept {
  reserve_ = 0;
  if (std::exchange(reserved_to_, 0) == 0) return;
  [[maybe_unused]] const int kept = ::ftruncate(fd_.get(), size_);  // it costs the disk some room, and nothing else
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
    if (reserve_ > 0) renew_reserve();
    return;
  }
  const int error = written < 0 ? errno : ENOSPC;  // a part of a line fits only where the rest of it does not
  if (written > 0) {
    if (::ftruncate(fd_.get(), size_) != 0) size_ += written;
    reserved_to_ = 0;  // it went with that
  }
  throw_disk_error(error, path_);
}

bool AppendFile::restore(const SessionFolder& folder, const std::function<void(int fd)>& before_name) {
  if (folder.is_name_of(fd_.get(), name_)) return false;
  FileReplacement replacement(folder, name_);
  std::string block(std::size_t{1} << 16, '\0');
  for (std::int64_t offset = 0; offset < size_;) {
    const ssize_t got = ::pread(fd_.get(), block.data(), block.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw_disk_error(got < 0 ? errno : EIO, path_);
    replacement.append(std::string_view(block).substr(0, static_cast<std::size_t>(got)));
    offset += got;
  }
  UniqueFD fresh = replacement.take_file();
  if (::fcntl(fresh.get(), F_SETFL, O_APPEND) != 0) throw_disk_error(errno, folder.path() / name_);
  if (before_name) before_name(fresh.get());
  replacement.give_name();
  fd_ = std::move(fresh);
  reserved_to_ = 0;
  if (reserve_ > 0) renew_reserve();
  path_ = folder.path() / name_;
  return true;
}

void AppendFile::cut(std::int64_t size) {
  if (::ftruncate(fd_.get(), size) != 0) throw_disk_error(errno, path_);
  size_ = size;
}

}  // namespace dictum::journal
