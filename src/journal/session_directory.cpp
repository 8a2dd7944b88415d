#include "journal/session_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ranges>
#include <system_error>

#include "base/disk_error.hpp"
#include "base/xdg.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "journal/layout.hpp"
#include "journal/session_folder.hpp"

namespace dictum::journal {

namespace fs = std::filesystem;

namespace {

/// Waits until the names in a folder are safe from a power cut. One that cannot be read (a home of others), or cannot
/// be flushed, is left out: nothing of ours is lost by that but the name of a folder that was made just now.
void sync_folder(const fs::path& folder) {
  const UniqueFD opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened && ::fsync(opened.get()) != 0 && errno != EINVAL) throw_disk_error(errno, folder);
}

}  // namespace

fs::path default_session_root() {
  const fs::path data = data_folder();
  if (data.empty()) {
    throw RecorderError(Errc::output_unwritable,
                        "There is no place for sessions: set HOME or XDG_DATA_HOME, or name a folder.");
  }
  return data / "sessions";
}

fs::path session_root(const RecorderConfig& config) {
  return config.session.root.empty() ? default_session_root() : fs::absolute(config.session.root);
}

fs::path normal_path(const fs::path& session) {
  const fs::path whole = fs::absolute(session).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

std::string session_name(std::chrono::system_clock::time_point started) {
  // Not with fmt's chrono: it takes a system_clock's time for local time up to version 9, for UTC from version 10 on.
  const std::string iso = iso_time(started);  // 2026-11-22T15:45:01.250Z
  return fmt::format("{}{}{}_{}{}{}", iso.substr(0, 4), iso.substr(5, 2), iso.substr(8, 2), iso.substr(11, 2),
                     iso.substr(14, 2), iso.substr(17, 2));
}

bool is_session_name(std::string_view name) {
  const auto digits = [](std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (name.size() < 15 || name[8] != '_' || !digits(name.substr(0, 8)) || !digits(name.substr(9, 6))) return false;
  return name.size() == 15 || (name[15] == '-' && digits(name.substr(16)));
}

std::optional<std::chrono::system_clock::time_point> time_of_name(std::string_view name) {
  if (!is_session_name(name)) return std::nullopt;
  return parse_iso_time(fmt::format("{}-{}-{}T{}:{}:{}Z", name.substr(0, 4), name.substr(4, 2), name.substr(6, 2),
                                    name.substr(9, 2), name.substr(11, 2), name.substr(13, 2)));
}

NewSessionDirectory::NewSessionDirectory(const fs::path& root, std::chrono::system_clock::time_point started) {
  try {
    std::error_code error;
    const fs::path absolute = fs::absolute(root, error).lexically_normal();
    if (error) throw_disk_error(error.value(), root);
    make_root(absolute);
    const std::string name = session_name(started);
    for (int attempt = 1;; ++attempt) {
      path_ = absolute / (attempt == 1 ? name : fmt::format("{}-{}", name, attempt));
      if (::mkdir(path_.c_str(), 0700) == 0) break;
      if (errno != EEXIST || attempt == 10'000) throw_disk_error(errno, path_);
    }
    made_.push_back(path_);
    for (const fs::path& folder : made_) sync_folder(folder.parent_path());
  } catch (...) {
    remove();
    throw;
  }
}

NewSessionDirectory::~NewSessionDirectory() {
  remove();
}

void NewSessionDirectory::make_root(const fs::path& root) {
  fs::path folder;
  for (const fs::path& part : root) {
    if (part.empty()) continue;
    folder /= part;
    if (::mkdir(folder.c_str(), 0700) == 0) {
      made_.push_back(folder);
      continue;
    }
    const int error = errno;
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) throw_disk_error(error, folder);
    if (!S_ISDIR(status.st_mode)) {
      throw RecorderError(Errc::output_unwritable,
                          fmt::format("'{}' is no folder: choose another place for sessions.", folder.string()));
    }
  }
}

void NewSessionDirectory::remove() noexcept {
  std::error_code ignored;
  for (const fs::path& folder : made_ | std::views::reverse) {
    if (folder == path_) {
      // By name first: a process that has run out of descriptors cannot list a folder.
      for (const char* file : kFirstFiles) ::unlink((folder / file).c_str());
      if (::rmdir(folder.c_str()) != 0) fs::remove_all(folder, ignored);
    } else {
      ::rmdir(folder.c_str());  // stays where somebody else put something into it meanwhile
    }
  }
  made_.clear();
}

// Locks of the open file, not of the process: two writers in one process are two as well. Asking does not take the lock
// for a moment, as flock() would, and so never gets into the way of somebody who does.

UniqueFD open_journal(const fs::path& session, int flags) noexcept {
  try {
    return SessionFolder(session).try_open(kJournalFile, flags);
  } catch (const std::exception&) {  // there is no such folder
    return {};
  }
}

bool try_lock(int journal_fd) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  while (::fcntl(journal_fd, F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return false;
    if (errno != EINTR) throw_disk_error(errno, kJournalFile);
  }
  return true;
}

bool is_locked(const fs::path& session) {
  const UniqueFD journal = open_journal(session, O_RDONLY);
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  return journal && ::fcntl(journal.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace dictum::journal
