#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "dictum/config.hpp"

namespace dictum::journal {

/// Where sessions are kept unless somebody says otherwise: $XDG_DATA_HOME/dictum/sessions, else
/// ~/.local/share/dictum/sessions. Throws RecorderError(output_unwritable) where there is neither.
std::filesystem::path default_session_root();

/// Where the sessions of this configuration go, absolute. Throws as default_session_root does.
std::filesystem::path session_root(const RecorderConfig& config);

/// A session's path as everything here names it: absolute, and without a slash at its end.
std::filesystem::path normal_path(const std::filesystem::path& session);

/// The name of a session that starts now, in UTC: "20261122_154501".
std::string session_name(std::chrono::system_clock::time_point started);

/// True for what `session_name` makes, with "-2" and so on behind it or not.
bool is_session_name(std::string_view name);

/// When a session of that name began; empty for another name.
std::optional<std::chrono::system_clock::time_point> time_of_name(std::string_view name);

/// A session's folder in the making: mode 0700, with the first free name. Making it is one mkdir, so two that start in
/// the same second get two folders. Until `keep` is called, everything goes again with this object: the folder, what is
/// in it, and the folders above that had to be made.
///
/// One thread at a time; owned by whoever starts a session. The constructor throws RecorderError, output_unwritable or
/// disk_full.
class NewSessionDirectory {
 public:
  NewSessionDirectory(const std::filesystem::path& root, std::chrono::system_clock::time_point started);
  ~NewSessionDirectory();
  NewSessionDirectory(const NewSessionDirectory&) = delete;
  NewSessionDirectory& operator=(const NewSessionDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep() { made_.clear(); }

 private:
  void make_root(const std::filesystem::path& root);
  void remove() noexcept;

  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // outermost first
};

/// The session's journal, opened as SessionFolder::try_open does; invalid where there is none.
UniqueFD open_journal(const std::filesystem::path& session, int flags) noexcept;

/// Takes the one lock of a session, on its journal, open for writing, without waiting. The kernel gives it back when
/// the descriptor closes, also at a crash. False where another process has it.
bool try_lock(int journal_fd);

/// True where some process is working on the session just now.
bool is_locked(const std::filesystem::path& session);

}  // namespace dictum::journal
