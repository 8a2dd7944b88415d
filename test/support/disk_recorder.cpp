#include "support/disk_recorder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

namespace dictum::test {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSector = 512;

DiskRecorder* g_current = nullptr;

fs::path target_of(int fd) {
  std::error_code ignored;
  return fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), ignored);
}

void apply_write(std::string& content, std::int64_t offset, std::string_view bytes) {
  const auto end = static_cast<std::size_t>(offset) + bytes.size();
  if (content.size() < end) content.resize(end, '\0');
  content.replace(static_cast<std::size_t>(offset), bytes.size(), bytes);
}

}  // namespace

DiskRecorder::DiskRecorder(fs::path root) : root_(std::move(root)) {
  g_current = this;
}

DiskRecorder::~DiskRecorder() {
  g_current = nullptr;
}

DiskRecorder* DiskRecorder::current() {
  return g_current;
}

/// Relative to the root; empty for a file elsewhere.
fs::path DiskRecorder::name_of(int fd) const {
  const fs::path name = target_of(fd).lexically_relative(root_);
  return name.empty() || *name.begin() == ".." ? fs::path() : name;
}

/// True for a file below the root, whose making is recorded where it is new.
bool DiskRecorder::notice(int fd, std::uint64_t& file) {
  const fs::path name = name_of(fd);
  struct stat status{};
  if (name.empty() || ::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const auto [known, is_new] = files_.try_emplace(status.st_ino, next_file_);
  file = known->second;
  if (is_new) {
    ++next_file_;
    calls_.push_back({.kind = Call::Kind::link, .file = file, .offset = 0, .bytes = {}, .name = name, .to = {}});
  }
  return true;
}

void DiskRecorder::wrote(int fd, std::int64_t offset, std::string bytes) {
  std::uint64_t file = 0;
  if (!notice(fd, file)) return;
  calls_.push_back(
      {.kind = Call::Kind::write, .file = file, .offset = offset, .bytes = std::move(bytes), .name = {}, .to = {}});
}

void DiskRecorder::truncated(int fd, std::int64_t size) {
  std::uint64_t file = 0;
  if (!notice(fd, file)) return;
  calls_.push_back({.kind = Call::Kind::truncate, .file = file, .offset = size, .bytes = {}, .name = {}, .to = {}});
}

void DiskRecorder::flushed(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    if (const fs::path name = name_of(fd); !name.empty()) {
      calls_.push_back({.kind = Call::Kind::flush_names, .file = 0, .offset = 0, .bytes = {}, .name = name, .to = {}});
    }
    return;
  }
  std::uint64_t file = 0;
  if (!notice(fd, file)) return;
  calls_.push_back({.kind = Call::Kind::flush, .file = file, .offset = 0, .bytes = {}, .name = {}, .to = {}});
}

void DiskRecorder::linked(const fs::path& folder) {
  const fs::path name = folder.lexically_relative(root_);
  if (name.empty() || *name.begin() == "..") return;
  calls_.push_back({.kind = Call::Kind::folder, .file = 0, .offset = 0, .bytes = {}, .name = name, .to = {}});
}

void DiskRecorder::renamed(int from_folder, const char* from, int to_folder, const char* to) {
  const fs::path in = name_of(from_folder);
  const fs::path out = name_of(to_folder);
  if (in.empty() || out.empty()) return;
  calls_.push_back(
      {.kind = Call::Kind::rename, .file = 0, .offset = 0, .bytes = {}, .name = in / from, .to = out / to});
}

void DiskRecorder::removed(int folder, const char* name) {
  const fs::path in = name_of(folder);
  if (in.empty()) return;
  calls_.push_back({.kind = Call::Kind::remove, .file = 0, .offset = 0, .bytes = {}, .name = in / name, .to = {}});
}

void DiskRecorder::freed(int folder, const char* name) {
  struct stat status{};
  if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0) files_.erase(status.st_ino);
}

/// What a file holds: everything up to its last flush, and of the later calls what was written of them.
std::string DiskRecorder::content(std::uint64_t file, std::size_t moment, Unflushed unflushed,
                                  std::mt19937& dice) const {
  std::size_t flushed = 0;
  for (std::size_t i = 0; i < moment; ++i) {
    if (calls_[i].kind == Call::Kind::flush && calls_[i].file == file) flushed = i;
  }
  std::string content;
  for (std::size_t i = 0; i < moment; ++i) {
    const Call& call = calls_[i];
    if (call.file != file || (call.kind != Call::Kind::write && call.kind != Call::Kind::truncate)) continue;
    const bool is_safe = i < flushed;
    if (!is_safe && (unflushed == Unflushed::none || (unflushed == Unflushed::some && dice() % 2 == 0))) continue;
    if (call.kind == Call::Kind::truncate) {
      content.resize(static_cast<std::size_t>(call.offset), '\0');
      continue;
    }
    std::string_view bytes = call.bytes;
    if (!is_safe && unflushed == Unflushed::some && dice() % 4 == 0) {
      const std::int64_t whole = kSector - call.offset % kSector;  // up to the end of the first sector
      if (whole < std::ssize(bytes)) bytes = bytes.substr(0, static_cast<std::size_t>(whole));
    }
    apply_write(content, call.offset, bytes);
  }
  return content;
}

/// Which names there are: those whose folder was flushed since, and a beginning of the others.
std::map<fs::path, std::uint64_t> DiskRecorder::names(std::size_t moment, Unflushed unflushed, std::mt19937& dice,
                                                      std::set<fs::path>& folders) const {
  std::map<fs::path, std::size_t> flushed;
  std::vector<std::size_t> changes;
  for (std::size_t i = 0; i < moment; ++i) {
    const Call& call = calls_[i];
    if (call.kind == Call::Kind::flush_names) flushed[call.name == "." ? fs::path() : call.name] = i;
    if (call.kind == Call::Kind::folder || call.kind == Call::Kind::link || call.kind == Call::Kind::rename ||
        call.kind == Call::Kind::remove) {
      changes.push_back(i);
    }
  }
  std::size_t end = moment;
  if (unflushed == Unflushed::none) end = 0;
  if (unflushed == Unflushed::some) end = dice() % (moment + 1);
  std::map<fs::path, std::uint64_t> names;
  for (const std::size_t i : changes) {
    const Call& call = calls_[i];
    const auto found = flushed.find(call.name.parent_path());
    const bool is_safe = found != flushed.end() && i < found->second;
    if (!is_safe && i >= end) continue;
    switch (call.kind) {
      case Call::Kind::folder:
        folders.insert(call.name);
        break;
      case Call::Kind::link:
        names[call.name] = call.file;
        break;
      case Call::Kind::remove:
        names.erase(call.name);
        break;
      default:
        if (const auto old = names.find(call.name); old != names.end()) {
          names[call.to] = old->second;
          names.erase(call.name);
        }
    }
  }
  return names;
}

void DiskRecorder::rebuild(std::size_t moment, Unflushed unflushed, std::mt19937& dice, const fs::path& into) const {
  std::set<fs::path> folders;
  const auto found = names(moment, unflushed, dice, folders);
  for (const fs::path& folder : folders) {
    fs::create_directories(into / folder);
    fs::permissions(into / folder, fs::perms::owner_all);
  }
  for (const auto& [name, file] : found) {
    if (!folders.contains(name.parent_path())) continue;
    std::ofstream(into / name, std::ios::binary) << content(file, moment, unflushed, dice);
    fs::permissions(into / name, fs::perms::owner_read | fs::perms::owner_write);
  }
}

}  // namespace dictum::test

// The calls of the program, by the linker's --wrap.

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {

ssize_t __real_write(int fd, const void* bytes, size_t size);
ssize_t __real_pwrite(int fd, const void* bytes, size_t size, off_t offset);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_mkdir(const char* path, mode_t mode);
int __real_mkdirat(int folder, const char* path, mode_t mode);
int __real_renameat(int from_folder, const char* from, int to_folder, const char* to);
int __real_unlinkat(int folder, const char* name, int flags);

ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  const ssize_t written = __real_write(fd, bytes, size);
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk != nullptr && written > 0) {
    const off_t end = ::lseek(fd, 0, SEEK_CUR);
    disk->wrote(fd, end - written, std::string(static_cast<const char*>(bytes), static_cast<size_t>(written)));
  }
  return written;
}

ssize_t __wrap_pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const ssize_t written = __real_pwrite(fd, bytes, size, offset);
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk != nullptr && written > 0) {
    disk->wrote(fd, offset, std::string(static_cast<const char*>(bytes), static_cast<size_t>(written)));
  }
  return written;
}

int __wrap_ftruncate(int fd, off_t size) {
  const int result = __real_ftruncate(fd, size);
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk != nullptr && result == 0) disk->truncated(fd, size);
  return result;
}

int __wrap_fsync(int fd) {
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk == nullptr) return 0;  // whether a recovery waits for the disk does not matter here
  disk->flushed(fd);
  return 0;
}

int __wrap_fdatasync(int fd) {
  return __wrap_fsync(fd);
}

int __wrap_mkdir(const char* path, mode_t mode) {
  const int result = __real_mkdir(path, mode);
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk != nullptr && result == 0) disk->linked(path);
  return result;
}

int __wrap_mkdirat(int folder, const char* path, mode_t mode) {
  const int result = __real_mkdirat(folder, path, mode);
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk != nullptr && result == 0) disk->linked(dictum::test::target_of(folder) / path);
  return result;
}

int __wrap_renameat(int from_folder, const char* from, int to_folder, const char* to) {
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk != nullptr) disk->freed(to_folder, to);
  const int result = __real_renameat(from_folder, from, to_folder, to);
  if (disk != nullptr && result == 0) disk->renamed(from_folder, from, to_folder, to);
  return result;
}

int __wrap_unlinkat(int folder, const char* name, int flags) {
  auto* const disk = dictum::test::DiskRecorder::current();
  if (disk != nullptr) disk->freed(folder, name);
  const int result = __real_unlinkat(folder, name, flags);
  if (disk != nullptr && result == 0) disk->removed(folder, name);
  return result;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
