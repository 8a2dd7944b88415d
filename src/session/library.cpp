#include "session/library.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/disk_error.hpp"
#include "base/scratch_folder.hpp"
#include "base/unique_fd.hpp"
#include "dictum/error.hpp"
#include "journal/layout.hpp"
#include "journal/session_directory.hpp"
#include "journal/session_folder.hpp"
#include "session/index.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDeleted = ".deleted-";  // before the name of a session that is being deleted

bool is_session(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path / journal::kJournalFile, ignored) ||
         fs::is_regular_file(path / journal::kManifestFile, ignored);
}

/// By the start; what began at the same moment, or cannot be dated, by the name, where "-10" comes behind "-9".
bool is_older(const ListedSession& a, const ListedSession& b) {
  const auto order = [](const ListedSession& each) {
    const auto started = each.started_at();
    return std::tuple(!started, started, each.name.substr(0, 15), each.name.size(), std::string_view(each.name));
  };
  return order(a) < order(b);
}

/// The session that began last. Names are UTC; older versions named sessions by local time, so the manifests decide
/// among those that are less than two zones apart.
std::optional<std::string> newest_session(const fs::path& root, const std::vector<std::string>& names) {
  constexpr std::chrono::hours kFarthestZones(28);
  std::optional<std::chrono::system_clock::time_point> latest;
  for (const auto& name : names) latest = std::max(latest, journal::time_of_name(name));
  std::optional<ListedSession> newest;
  for (const auto& name : names) {
    if (const auto named = journal::time_of_name(name); named && *named + kFarthestZones < *latest) continue;
    ListedSession listed;
    listed.name = name;
    try {
      listed.manifest = read_manifest(root / name);
    } catch (const RecorderError&) {
      if (!journal::is_session_name(name)) continue;
    }
    if (!newest || is_older(*newest, listed)) newest = std::move(listed);
  }
  if (!newest) return std::nullopt;
  return newest->name;
}

/// Throws RecorderError(session_unreadable) unless a folder is a session of ours: a manifest that can be read, and a
/// journal.
void require_session(const fs::path& path) {
  const auto refuse = [&](std::string_view why) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("'{}' is left alone, since it is no session of Dictum: {}", path.string(), why));
  };
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(path, ignored))) refuse("it is no folder.");
  if (!fs::is_regular_file(fs::symlink_status(path / journal::kJournalFile, ignored))) refuse("it has no journal.");
  try {
    read_manifest(path);
  } catch (const RecorderError& error) {
    refuse(error.what());
  }
}

/// Why a session that is old enough stays; empty where it goes.
std::string reason_to_stay(const ListedSession& session, const PruneRule& rule) {
  if (session.is_open) return "it is being worked on";
  if (!session.manifest) return session.problem;
  if (!is_finished(*session.manifest)) return "it is not finished";
  if (rule.keep_notes && !session.manifest->notes.empty()) return "it has notes";
  return {};
}

}  // namespace

bool is_finished(const journal::SessionState& session) {
  return session.stopped_at && std::ranges::all_of(session.segments, &Segment::is_settled);
}

std::optional<std::chrono::system_clock::time_point> ListedSession::started_at() const {
  return manifest ? manifest->started_at : journal::time_of_name(name);
}

std::vector<ListedSession> list_sessions(const fs::path& root) {
  std::vector<ListedSession> sessions;
  std::error_code error;
  fs::directory_iterator entry(root, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored)) continue;
    // A copied session may have any name; an empty folder with a session's name is the rest of one.
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.') || (!journal::is_session_name(name) && !is_session(entry->path()))) continue;
    sessions.push_back(look_at_session(entry->path()));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("The folder '{}' cannot be read: {}.", root.string(), error.message()));
  }
  std::ranges::sort(sessions, is_older);
  return sessions;
}

ListedSession look_at_session(const fs::path& session) {
  ListedSession listed;
  listed.path = journal::normal_path(session);
  listed.name = listed.path.filename().string();
  std::error_code ignored;
  if (!fs::is_directory(listed.path, ignored)) {
    throw RecorderError(Errc::input_not_found, fmt::format("There is no session '{}'.", listed.path.string()));
  }
  listed.is_open = journal::is_locked(listed.path);
  try {
    listed.manifest = read_manifest(listed.path);
    const auto journal = fs::symlink_status(listed.path / journal::kJournalFile, ignored);
    if (!fs::is_regular_file(journal)) listed.problem = "The journal is missing.";
  } catch (const RecorderError& error) {
    listed.problem = error.what();
  }
  return listed;
}

fs::path find_session(const fs::path& root, std::string_view what) {
  const auto fail = [&](const std::string& why) -> RecorderError {
    return {Errc::input_not_found, fmt::format("There is no session '{}' in '{}'{}.", what, root.string(), why)};
  };
  std::error_code ignored;
  if (what.find('/') != std::string_view::npos || what == "." || what == "..") {
    if (fs::path path = journal::normal_path(what); is_session(path)) return path;
    throw RecorderError(Errc::input_not_found, fmt::format("'{}' is no session.", what));
  }
  if (!what.empty() && is_session(root / what)) return journal::normal_path(root / what);

  std::vector<std::string> names;
  fs::directory_iterator entry(root, ignored);
  for (const fs::directory_iterator end; !ignored && entry != end; entry.increment(ignored)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with('.') && is_session(entry->path())) names.push_back(std::move(name));
  }
  if (what == "last") {
    if (const auto newest = newest_session(root, names)) return journal::normal_path(root / *newest);
    throw fail(": nothing has been recorded there yet");
  }
  std::erase_if(names,
                [&](const std::string& name) { return !journal::is_session_name(name) || !name.starts_with(what); });
  std::ranges::sort(names);
  if (names.empty() || what.empty()) throw fail(": give the name of one, the beginning of a name, or \"last\"");
  if (names.size() > 1) {
    throw fail(fmt::format(": {} begin like that, from '{}' to '{}'", names.size(), names.front(), names.back()));
  }
  return journal::normal_path(root / names.front());
}

std::uintmax_t size_of(const fs::path& session) {
  std::uintmax_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(session, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored)) bytes += entry->file_size(ignored);
  }
  return bytes;
}

void delete_session(const fs::path& session) {
  const fs::path path = journal::normal_path(session);
  require_session(path);
  // With its lock held until it is gone, nobody begins to work on it meanwhile.
  const UniqueFD journal = journal::open_journal(path, O_WRONLY);
  if (journal && !journal::try_lock(journal.get())) {
    throw RecorderError(
        Errc::session_locked,
        fmt::format("Another process is working on the session '{}': it is left alone.", path.string()));
  }
  // Out of sight in one step, so that a crash leaves no half session; the next start clears up behind it.
  const fs::path grave = path.parent_path() / (std::string(kDeleted) + path.filename().string());
  std::error_code error;
  fs::remove_all(grave, error);
  fs::rename(path, grave, error);
  if (!error) fs::remove_all(grave, error);
  std::error_code ignored;
  if (error && (fs::exists(path, ignored) || fs::exists(grave, ignored))) throw_disk_error(error.value(), path);
  update_index(path);
}

void remove_remains(const fs::path& root) noexcept {
  ScratchFolder::remove_abandoned(root);
  try {
    std::error_code error;
    for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      std::error_code ignored;
      if (!name.starts_with(kDeleted) || !journal::is_session_name(name.substr(kDeleted.size())) ||
          !fs::is_directory(entry->symlink_status(ignored)) || journal::is_locked(entry->path()))
        continue;
      fs::remove_all(entry->path(), ignored);
    }
  } catch (const std::exception&) {  // no memory: the next start removes them
  }
}

Pruned prune(const fs::path& root, const PruneRule& rule) {
  Pruned pruned;
  if (!rule.dry_run) remove_remains(root);
  for (const ListedSession& session : list_sessions(root)) {
    const auto started = session.started_at();
    if (started && *started >= rule.before) continue;
    if (rule.goes_on && !rule.goes_on()) break;
    if (std::string reason = started ? reason_to_stay(session, rule) : session.problem; !reason.empty()) {
      pruned.left.push_back({session.path, std::move(reason)});
      continue;
    }
    const std::uintmax_t bytes = size_of(session.path);
    try {
      if (!rule.dry_run) delete_session(session.path);
      pruned.removed.push_back(session.path);
      pruned.bytes += bytes;
    } catch (const RecorderError& error) {
      pruned.left.push_back({session.path, error.what()});
    }
  }
  return pruned;
}

void update_index(const fs::path& session) {
  const fs::path path = journal::normal_path(session);
  std::error_code ignored;
  if (!fs::exists(SessionIndex::file_in(path.parent_path()), ignored)) return;
  try {
    SessionIndex(path.parent_path()).update(path);
  } catch (const RecorderError&) {
  }
}

}  // namespace dictum::session
