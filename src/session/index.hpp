#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dictum/sessions.hpp"

namespace dictum::session {

class Database;
class DatabaseError;

/// The search index of all sessions below a root: an SQLite file beside them, derived from their manifests. It can be
/// deleted at any time, is made again where it is missing, damaged or of another version, and may be used by several
/// processes at once. Where the root cannot be written, an index in memory serves.
///
/// One thread at a time (the runtime's `disk` strand, or a command); owned by whoever searches or has finished a
/// session. Throws RecorderError(output_unwritable) where even a new index does not work.
class SessionIndex {
 public:
  explicit SessionIndex(const std::filesystem::path& root);
  ~SessionIndex();

  /// Takes what the session's files say now; forgets a session whose folder is gone.
  void update(const std::filesystem::path& session);

  /// Takes every session that is new or has changed since, forgets those that are gone.
  void refresh();

  /// Forgets everything and takes every session.
  void rebuild();

  /// The newest first.
  std::vector<SessionMatch> search(const SessionSearch& query);

  static std::filesystem::path file_in(const std::filesystem::path& root) { return root / "index.sqlite"; }

 private:
  enum class Trust { full, none };
  class MakingLock;

  void connect(Trust trust);
  void open();
  void create_tables();
  void check_integrity();
  void remove_files();
  [[noreturn]] void give_up(const DatabaseError& error) const;
  void refresh_now();
  void take(const std::string& name);
  void forget(std::int64_t session_id);
  std::vector<SessionMatch> search_now(const SessionSearch& query);
  void guarded(const std::function<void()>& work);

  const std::filesystem::path root_;
  std::unique_ptr<Database> database_;
};

}  // namespace dictum::session
