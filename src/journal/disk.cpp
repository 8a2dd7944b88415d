#include "journal/disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

namespace dictum::journal {

namespace fs = std::filesystem;

void throw_disk_error(int error, const fs::path& path) {
  const std::string reason = std::generic_category().message(error);
  // A quota and a limit on a file's size are, to whoever wants to go on recording, a full disk.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw RecorderError(
        Errc::disk_full,
        fmt::format("No room is left for '{}' ({}): free some space, or record elsewhere.", path.string(), reason));
  }
  throw RecorderError(
      Errc::output_unwritable,
      fmt::format("'{}' cannot be written ({}): check the folder and its permissions.", path.string(), reason));
}

FileReplacement::FileReplacement(fs::path path)
    : path_(std::move(path)),
      fresh_(fs::path(path_) += ".new"),
      file_(::open(fresh_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
  if (!file_) throw_disk_error(errno, fresh_);
}

FileReplacement::~FileReplacement() {
  if (file_) ::unlink(fresh_.c_str());
}

void FileReplacement::append(std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file_.get(), content.data(), content.size());
    if (written >= 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      throw_disk_error(errno, path_);
    }
  }
}

void FileReplacement::commit() {
  int error = 0;
  if (::close(file_.release()) != 0 && errno != EINTR) error = errno;
  if (error == 0 && ::rename(fresh_.c_str(), path_.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(fresh_.c_str());
  throw_disk_error(error, path_);
}

void replace_file(const fs::path& path, std::string_view content) {
  FileReplacement file(path);
  file.append(content);
  file.commit();
}

std::string read_file(const fs::path& path, std::size_t limit) {
  const auto refuse = [&](std::string_view why) {
    throw RecorderError(Errc::session_unreadable, fmt::format("'{}' cannot be read: {}.", path.string(), why));
  };
  // Not blocking: a pipe of that name must not hold us up.
  const UniqueFD file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) refuse(std::generic_category().message(errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) refuse(std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) refuse("it is no file");
  if (static_cast<std::size_t>(status.st_size) > limit) refuse("it is too large");

  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(std::generic_category().message(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

void sync_to_disk(const fs::path& path) {
  const UniqueFD file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) throw_disk_error(errno, path);
}

}  // namespace dictum::journal
