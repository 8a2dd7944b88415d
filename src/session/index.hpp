#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dictum/frame.hpp"

namespace dictum::session {

class Database;
class DatabaseError;

/// What to look for. Every part narrows the search; with no words in `text`, everything within the dates is found.
struct SearchQuery {
  enum class Scope { everything, segments, notes };

  /// Words that must all be there, in any order: a word, the beginning of one ("trans*"), or a phrase ("\"new note\"").
  /// Any string is a query: what is no letter or digit separates words. Case and accents do not matter.
  std::string text;
  Scope scope = Scope::everything;
  std::optional<std::chrono::system_clock::time_point> from;    ///< said at this moment or later
  std::optional<std::chrono::system_clock::time_point> before;  ///< said before this moment
  std::string session;                                          ///< only in this one, where it is not empty
  std::size_t limit = 50;
};

/// A segment or a note that was found.
struct SearchHit {
  struct Mark {  ///< bytes of `text`
    std::size_t begin{};
    std::size_t size{};
    bool operator==(const Mark&) const = default;
  };

  std::filesystem::path session;  ///< absolute
  std::string text;               ///< of the segment, or of the note's body; on one line
  std::vector<Mark> marks;        ///< where what was looked for stands in `text`
  std::string note_title;         ///< of a note
  std::string note_path;          ///< of a note; relative to the session; empty for a segment
  std::uint32_t segment_index{};  ///< of a note: its first one
  Frame start_frame{};            ///< of the speech: where to play from
  Frame end_frame{};
  int sample_rate{};
  std::chrono::system_clock::time_point said_at;
};

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
  std::vector<SearchHit> search(const SearchQuery& query);

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
  std::vector<SearchHit> search_now(const SearchQuery& query);
  void guarded(const std::function<void()>& work);

  const std::filesystem::path root_;
  std::unique_ptr<Database> database_;
};

}  // namespace dictum::session
