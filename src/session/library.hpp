#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/sessions.hpp"
#include "session/manifest.hpp"

/// The sessions below a root, as people keep them. What is damaged, foreign or of a newer version is listed with what
/// is wrong with it, and never changed. Any thread; no state.
namespace dictum::session {

struct ListedSession {
  std::filesystem::path path;        ///< absolute
  std::string name;                  ///< of the folder
  std::optional<Manifest> manifest;  ///< empty where it cannot be read
  std::string problem;               ///< why not; empty where all is well
  bool is_open = false;              ///< a process is recording it, or working on it

  /// When it began: by its manifest, else by its name.
  std::optional<std::chrono::system_clock::time_point> started_at() const;
};

/// Whether it was stopped, and no text is to come.
bool is_finished(const journal::SessionState& session);

/// Every session, by its start, the oldest first. A root that is missing has none. Throws
/// RecorderError(session_unreadable) where the root cannot be read.
std::vector<ListedSession> list_sessions(const std::filesystem::path& root);

/// One of them. Throws RecorderError(input_not_found) where there is no such folder.
ListedSession look_at_session(const std::filesystem::path& session);

/// The session that somebody means: a path to a folder, a name, the beginning of just one name, or "last", the one that
/// began last. Throws
/// RecorderError(input_not_found), which says what is there instead where several match.
std::filesystem::path find_session(const std::filesystem::path& root, std::string_view what);

/// Bytes that the session takes.
std::uintmax_t size_of(const std::filesystem::path& session);

/// Removes a session, whole, and from the index where there is one. Throws RecorderError: session_unreadable where the
/// folder is no session of ours (a link, no journal, or no manifest that can be read), session_locked where a process
/// is working on it, output_unwritable.
void delete_session(const std::filesystem::path& session);

/// Removes what processes that were killed left beside the sessions: sessions that were being deleted, and folders for
/// temporary files. What another process is working on stays, and so does what cannot be removed.
void remove_remains(const std::filesystem::path& root) noexcept;

/// Removes old sessions. One that is open, unfinished or cannot be read stays, and the report says why.
Pruned prune(const std::filesystem::path& root, const PruneRule& rule);

/// Updates the index entry of a session that was finished or changed, where there is an index. What fails is left to
/// the next search, which refreshes the index. Never throws RecorderError.
void update_index(const std::filesystem::path& session);

}  // namespace dictum::session
