#include "audio/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "dictum/error.hpp"

namespace dictum::audio {

OutputFile::OutputFile(const std::filesystem::path& path)
    : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
  if (!fd_) fail(errno);
}

void OutputFile::fail(int error) const {
  // A quota and a limit on a file's size are, to whoever wants to go on recording, a full disk.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw RecorderError(Errc::disk_full,
                        fmt::format("No room is left for '{}' ({}): free some space, or record elsewhere.",
                                    path_.string(), std::generic_category().message(error)));
  }
  if (error == EEXIST) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("'{}' exists already and is not overwritten: move it away.", path_.string()));
  }
  throw RecorderError(Errc::output_unwritable,
                      fmt::format("'{}' cannot be written ({}): check the folder and its permissions.", path_.string(),
                                  std::generic_category().message(error)));
}

void OutputFile::write_at(std::int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
}

void OutputFile::truncate(std::int64_t size) {
  while (::ftruncate(fd_.get(), size) != 0) {
    if (errno != EINTR) fail(errno);
  }
}

void OutputFile::close() {
  // The descriptor is gone whatever close() says, so a second try would be wrong.
  if (::close(fd_.release()) != 0 && errno != EINTR) fail(errno);
}

}  // namespace dictum::audio
