#include "journal/session_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "base/disk_error.hpp"
#include "dictum/error.hpp"

namespace dictum::journal {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;

/// openat2(2), which glibc does not wrap: -1 with ENOSYS or EPERM where the kernel, or a sandbox, has none.
int open_beneath(int folder, const char* name, int flags, mode_t mode) noexcept {
  open_how how{};
  how.flags = static_cast<unsigned int>(flags);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, name, &how, sizeof how));
}

/// Whether a name stays below the folder that it is opened in, were there no links.
bool is_below(const fs::path& name) {
  if (name.empty() || name.is_absolute()) return false;
  for (const fs::path& part : name) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

/// The same without openat2, one folder after the other.
UniqueFD open_step_by_step(int folder, const fs::path& name, int flags, mode_t mode) noexcept {
  UniqueFD at;
  for (const fs::path& part : name.parent_path()) {
    UniqueFD next(::openat(at ? at.get() : folder, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return next;
    at = std::move(next);
  }
  return UniqueFD(::openat(at ? at.get() : folder, name.filename().c_str(), flags | O_NOFOLLOW, mode));
}

UniqueFD open_in(int folder, const fs::path& name, int flags, mode_t mode) noexcept {
  if (!is_below(name)) {
    errno = EXDEV;
    return {};
  }
  UniqueFD file(open_beneath(folder, name.c_str(), flags, mode));
  if (!file && (errno == ENOSYS || errno == EPERM)) return open_step_by_step(folder, name, flags, mode);
  return file;
}

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// A regular file, and for writing one without a second name, which may belong to somebody else.
bool is_file_of_a_session(int file, int flags) noexcept {
  struct stat status{};
  if (::fstat(file, &status) != 0) return false;
  const bool writes = (flags & O_ACCMODE) != O_RDONLY;
  if (S_ISREG(status.st_mode) && (!writes || status.st_nlink <= 1)) return true;
  errno = S_ISREG(status.st_mode) ? EMLINK : EINVAL;
  return false;
}

/// The process or the disk lacks something; the session may be as good as any.
bool says_nothing_of_the_session(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EIO;
}

/// Whether a part of the file has no block on the disk and is larger than any run of zeros that a session writes: a
/// file of gigabytes may be made in an instant. Some file systems keep zeros that were written in the same way.
bool has_large_hole(int file, std::int64_t size) {
  constexpr std::int64_t kMaxHole = std::int64_t{16} << 20;
  for (std::int64_t at = 0; at < size;) {
    const std::int64_t hole = ::lseek(file, at, SEEK_HOLE);
    if (hole < 0 || hole >= size) return false;
    const std::int64_t data = ::lseek(file, hole, SEEK_DATA);
    at = data < 0 ? size : data;
    if (at - hole > kMaxHole) return true;
  }
  return false;
}

/// Some file systems cannot flush a folder: there is nothing to wait for.
bool is_flushed(int folder) {
  return ::fsync(folder) == 0 || errno == EINVAL;
}

std::string_view why(int error) {
  switch (error) {
    case ELOOP:
      return "it is a link";
    case EXDEV:
      return "it is outside of the session";
    case EMLINK:
      return "it has a second name elsewhere";
    case EINVAL:
    case ENXIO:
      return "it is not a regular file";
    default:
      return {};
  }
}

}  // namespace

SessionFolder::SessionFolder(fs::path path)
    : path_(std::move(path)), folder_(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (folder_) return;
  if (says_nothing_of_the_session(errno)) throw_disk_error(errno, path_);
  throw RecorderError(Errc::session_unreadable,
                      fmt::format("'{}' cannot be read: {}.", path_.string(), std::generic_category().message(errno)));
}

SessionFolder::SessionFolder(fs::path path, UniqueFD folder) : path_(std::move(path)), folder_(std::move(folder)) {}

SessionFolder::Place SessionFolder::place() const noexcept {
  struct stat opened{};
  struct stat named{};
  if (::fstat(folder_.get(), &opened) != 0) return Place::unchanged;  // nothing is known
  if (opened.st_nlink == 0) return Place::removed;
  if (::stat(path_.c_str(), &named) == 0) return is_same_file(opened, named) ? Place::unchanged : Place::moved;
  return errno == ENOENT || errno == ENOTDIR ? Place::moved : Place::unchanged;
}

SessionFolder SessionFolder::by_its_new_path() const {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(folder_.get()), error);
  if (error) throw_disk_error(error.value(), path_);
  if (place() == Place::removed) throw_disk_error(ENOENT, path_);  // meanwhile: what was read is no path
  UniqueFD copy(::fcntl(folder_.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) throw_disk_error(errno, path_);
  return {std::move(path), std::move(copy)};
}

UniqueFD SessionFolder::make(const fs::path& name) const {
  remove(name);
  return open(name, O_RDWR | O_CREAT | O_EXCL);
}

bool SessionFolder::is_name_of(int file, const fs::path& name) const noexcept {
  struct stat opened{};
  struct stat named{};
  const bool is_direct = name.parent_path().empty();  // without a descriptor more, of which there may be none left
  const UniqueFD parent = is_direct ? UniqueFD() : open_parent(name);
  if (::fstat(file, &opened) != 0 || (!is_direct && !parent)) return true;
  if (::fstatat(is_direct ? folder_.get() : parent.get(), name.filename().c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno != ENOENT && errno != ENOTDIR;
  }
  return is_same_file(opened, named);
}

UniqueFD SessionFolder::try_open(const fs::path& name, int flags) const noexcept {
  // Not blocking: a pipe of that name must not hold anybody up.
  UniqueFD file = open_in(folder_.get(), name, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kFileMode);
  if (file && !is_file_of_a_session(file.get(), flags)) {
    const int error = errno;
    file.reset();
    errno = error;
  }
  return file;
}

UniqueFD SessionFolder::open(const fs::path& name, int flags) const {
  UniqueFD file = try_open(name, flags);
  if (file) return file;
  const int error = errno;
  if (const auto reason = why(error); !reason.empty()) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("'{}' is not used: {}. Move it away.", (path_ / name).string(), reason));
  }
  throw_disk_error(error, path_ / name);
}

std::string SessionFolder::read(const fs::path& name, std::size_t limit) const {
  const auto refuse = [&](std::string_view reason) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("'{}' cannot be read: {}.", (path_ / name).string(), reason));
  };
  const UniqueFD file = try_open(name, O_RDONLY);
  if (!file) {
    const auto reason = why(errno);
    refuse(reason.empty() ? std::generic_category().message(errno) : std::string(reason));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) refuse(std::generic_category().message(errno));
  if (static_cast<std::size_t>(status.st_size) > limit) refuse("it is too large");
  if (has_large_hole(file.get(), status.st_size)) refuse("a part of it was never written");
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::pread(file.get(), content.data() + size, content.size() - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(std::generic_category().message(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

bool SessionFolder::has(const fs::path& name) const noexcept {
  struct stat status{};
  const UniqueFD parent = open_parent(name);
  return parent && ::fstatat(parent.get(), name.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

bool SessionFolder::remove(const fs::path& name) const noexcept {
  const UniqueFD parent = open_parent(name);
  return parent ? ::unlinkat(parent.get(), name.filename().c_str(), 0) == 0 || errno == ENOENT : errno == ENOENT;
}

void SessionFolder::make_folder(const fs::path& name) const {
  const UniqueFD parent = open_parent(name);
  if (!parent || (::mkdirat(parent.get(), name.filename().c_str(), kFolderMode) != 0 && errno != EEXIST)) {
    throw_disk_error(errno, path_ / name);
  }
}

void SessionFolder::rename(const fs::path& from, const fs::path& to) const {
  const UniqueFD from_parent = open_parent(from);
  const UniqueFD to_parent = open_parent(to);
  if (!from_parent || !to_parent ||
      ::renameat(from_parent.get(), from.filename().c_str(), to_parent.get(), to.filename().c_str()) != 0) {
    throw_disk_error(errno, path_ / to);
  }
}

void SessionFolder::sync_file(const fs::path& name) const {
  const UniqueFD file = open(name, O_RDONLY);
  if (::fdatasync(file.get()) != 0) throw_disk_error(errno, path_ / name);
}

void SessionFolder::sync_names(const fs::path& below) const {
  if (below.empty()) {
    if (!is_flushed(folder_.get())) throw_disk_error(errno, path_);
    return;
  }
  const UniqueFD folder = open_in(folder_.get(), below, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (!folder || !is_flushed(folder.get())) throw_disk_error(errno, path_ / below);
}

bool SessionFolder::is_private() const noexcept {
  constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
  struct stat status{};
  return ::fstat(folder_.get(), &status) == 0 && status.st_uid == ::geteuid() && (status.st_mode & kOthersWrite) == 0;
}

/// The folder that holds the file; an invalid descriptor, and `errno`, where there is none or a link is on the way.
UniqueFD SessionFolder::open_parent(const fs::path& name) const noexcept {
  if (!is_below(name)) {
    errno = EXDEV;
    return {};
  }
  const fs::path parent = name.parent_path();
  if (parent.empty()) return UniqueFD(::fcntl(folder_.get(), F_DUPFD_CLOEXEC, 3));
  return open_in(folder_.get(), parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

}  // namespace dictum::journal
