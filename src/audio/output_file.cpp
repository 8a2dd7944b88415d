#include "audio/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/disk_error.hpp"

namespace dictum::audio {

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
  if (!fd_) throw_disk_error(errno, path_);
}

OutputFile::OutputFile(UniqueFD file, std::filesystem::path path) : path_(std::move(path)), fd_(std::move(file)) {}

void OutputFile::move_to(UniqueFD fresh, std::filesystem::path path) {
  OutputFile copy(std::move(fresh), std::move(path));
  std::vector<std::byte> block(std::size_t{1} << 16);
  for (std::int64_t offset = 0;;) {
    const ssize_t got = ::pread(fd_.get(), block.data(), block.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_disk_error(errno, path_);
    if (got == 0) break;
    copy.write_at(offset, std::span(block).first(static_cast<std::size_t>(got)));
    offset += got;
  }
  *this = std::move(copy);
}

void OutputFile::write_at(std::int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_disk_error(written < 0 ? errno : EIO, path_);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
}

void OutputFile::truncate(std::int64_t size) {
  while (::ftruncate(fd_.get(), size) != 0) {
    if (errno != EINTR) throw_disk_error(errno, path_);
  }
}

void OutputFile::close() {
  // The descriptor is gone whatever close() says, so a second try would be wrong.
  if (::close(fd_.release()) != 0 && errno != EINTR) throw_disk_error(errno, path_);
}

}  // namespace dictum::audio
