#include "session/index.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "journal/event_paths.hpp"
#include "journal/layout.hpp"
#include "journal/session_directory.hpp"
#include "session/database.hpp"
#include "session/manifest.hpp"
#include "session/word_tokenizer.hpp"
#include "text/words.hpp"

namespace dictum::session {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr int kVersion = 2;  // of the tables and of the tokenizer; another one in the file: it is made anew

// An entry's id is the moment at which it was said, in milliseconds, with room for what was said at the same one: so
// FTS5 can give the newest first without sorting, and a range of dates is a range of ids.
constexpr int kIdBits = 20;

std::int64_t id_at(system_clock::time_point time) {
  constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max() >> kIdBits;  // in 2248
  const auto since_epoch = std::chrono::duration_cast<milliseconds>(time.time_since_epoch());
  return std::clamp<std::int64_t>(since_epoch.count(), 0, kLatest) << kIdBits;
}

system_clock::time_point time_of_id(std::int64_t id) {
  return system_clock::time_point(milliseconds(id >> kIdBits));
}

// What stands around a hit in SQLite's answer; texts have no control characters.
constexpr char kMarkBegin = '\x02';
constexpr char kMarkEnd = '\x03';

UniqueFD open_folder(const fs::path& path) {
  return UniqueFD(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/// What changes with every writing of a session's manifest; empty where there is none. `root` is the open folder.
std::optional<std::int64_t> stamp_of(int root, const std::string& session) {
  struct stat status{};
  if (::fstatat(root, (session + '/' + journal::kManifestFile).c_str(), &status, 0) != 0) return std::nullopt;
  const auto part = [](auto value) { return static_cast<std::uint64_t>(value); };
  const std::uint64_t time = part(status.st_mtim.tv_sec) * 1'000'000'000 + part(status.st_mtim.tv_nsec);
  return static_cast<std::int64_t>((time * 31 + part(status.st_size)) * 1'000'003 + part(status.st_ino));
}

std::string in_quotes(std::string_view words) {
  return fmt::format("\"{}\"", words);
}

/// The query in FTS5's own language, in which every word is quoted; empty where there is no word.
std::string match_expression(const SessionSearch& query) {
  const auto is_word = [](std::string_view piece) { return !text::index_terms(piece).empty(); };
  std::string text = utf8::on_one_line(query.text);
  std::string expression;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const bool phrase = text[at] == '"';
    const std::size_t begin = phrase ? at + 1 : at;
    const std::size_t end = std::min(text.find_first_of(phrase ? "\"" : " \"", begin), text.size());
    const std::string piece = text.substr(begin, end - begin);
    at = phrase ? end + 1 : end;
    if (!is_word(piece)) continue;
    if (!expression.empty()) expression += " AND ";
    expression += in_quotes(piece);
    if (!phrase && piece.ends_with('*')) expression += '*';
  }
  if (expression.empty()) return {};
  constexpr const char* columns[] = {"{text title}", "{text}", "{title body}"};
  return fmt::format("{} : ({})", columns[static_cast<int>(query.scope)], expression);
}

/// Takes the marks out of `text`.
std::vector<SessionMatch::Mark> take_marks(std::string& text) {
  std::vector<SessionMatch::Mark> marks;
  std::string plain;
  plain.reserve(text.size());
  for (const char c : text) {
    if (c == kMarkBegin) {
      marks.push_back({plain.size(), 0});
    } else if (c == kMarkEnd) {
      if (!marks.empty()) marks.back().size = plain.size() - marks.back().begin;
    } else {
      plain += c;
    }
  }
  text = std::move(plain);
  return marks;
}

}  // namespace

/// The index is made and repaired by one process at a time.
class SessionIndex::MakingLock {
 public:
  explicit MakingLock(const fs::path& root) : root_(open_folder(root)) {
    if (root_) ::flock(root_.get(), LOCK_EX);
  }

 private:
  UniqueFD root_;
};

SessionIndex::SessionIndex(const fs::path& root) : root_(journal::normal_path(root)) {
  connect(Trust::full);
}

SessionIndex::~SessionIndex() = default;

void SessionIndex::connect(Trust trust) {
  database_.reset();
  const MakingLock lock(root_);
  try {
    open();
    if (trust == Trust::none) check_integrity();
    return;
  } catch (const DatabaseError& error) {
    if (error.is_passing()) give_up(error);
    database_.reset();
    if (error.is_damage()) remove_files();
  }
  try {
    open();
  } catch (const DatabaseError&) {  // the root cannot be written, most often
    database_ = std::make_unique<Database>(":memory:");
    create_tables();
  }
}

void SessionIndex::open() {
  database_ = std::make_unique<Database>(file_in(root_));
  Statement version = database_->prepare("PRAGMA user_version");
  if (!version.step() || version.integer(0) != kVersion) {
    version.run();
    create_tables();
  }
}

void SessionIndex::check_integrity() {
  Statement check = database_->prepare("PRAGMA quick_check(1)");
  if (!check.step() || check.text(0) != "ok") throw DatabaseError(SQLITE_CORRUPT, "the database is damaged");
  check.run();
  database_->run("INSERT INTO words (words) VALUES ('integrity-check')");
}

/// A process that has the old files open goes on writing to them, which the next refresh makes good.
void SessionIndex::remove_files() {
  std::error_code ignored;
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    fs::path file = file_in(root_);
    file += suffix;
    fs::remove(file, ignored);
  }
}

void SessionIndex::give_up(const DatabaseError& error) const {
  throw RecorderError(
      error.is_full() ? Errc::disk_full : Errc::output_unwritable,
      fmt::format("The search index of '{}' cannot be used now ({}): try again.", root_.string(), error.what()));
}

void SessionIndex::guarded(const std::function<void()>& work) {
  try {
    return work();
  } catch (const DatabaseError& error) {
    if (error.is_passing()) give_up(error);
  }
  connect(Trust::none);
  try {
    refresh_now();
    work();
  } catch (const DatabaseError& error) {
    give_up(error);
  }
}

/// Empty ones, in the place of those that may be there.
void SessionIndex::create_tables() {
  Transaction transaction(*database_);
  database_->run(
      "DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS entry; DROP TABLE IF EXISTS session;"
      "CREATE TABLE session (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stamp INTEGER NOT NULL, rate INTEGER "
      "NOT "
      "NULL);"
      "CREATE TABLE entry (id INTEGER PRIMARY KEY, session INTEGER NOT NULL, segment INTEGER NOT NULL,"
      " start INTEGER NOT NULL, end INTEGER NOT NULL, note TEXT NOT NULL);"
      "CREATE INDEX entry_of_session ON entry (session);");
  database_->run(
      fmt::format("CREATE VIRTUAL TABLE words USING fts5 (text, title, body, tokenize = '{}')", kWordTokenizer)
          .c_str());
  database_->run(fmt::format("PRAGMA user_version = {}", kVersion).c_str());
  transaction.commit();
}

void SessionIndex::update(const fs::path& session) {
  const fs::path path = journal::normal_path(session);
  guarded([&] {
    Transaction transaction(*database_);
    take(path.filename().string());
    transaction.commit();
  });
}

void SessionIndex::refresh() {
  guarded([&] { refresh_now(); });
}

void SessionIndex::rebuild() {
  guarded([&] {
    create_tables();
    refresh_now();
  });
}

void SessionIndex::refresh_now() {
  std::unordered_map<std::string, std::int64_t> known;
  Statement all = database_->prepare("SELECT name, stamp FROM session");
  while (all.step()) known.emplace(all.text(0), all.integer(1));

  std::vector<std::string> changed;
  const UniqueFD folder = open_folder(root_);
  std::error_code error;
  for (fs::directory_iterator entry(root_, error), end; !error && entry != end; entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!journal::is_session_name(name)) continue;
    const auto found = known.find(name);
    if (found == known.end() || stamp_of(folder.get(), name) != found->second) changed.push_back(std::move(name));
    if (found != known.end()) known.erase(found);
  }
  for (auto& [name, stamp] : known) changed.push_back(name);  // gone

  // In pieces, so that no other process waits longer than its time limit.
  constexpr std::size_t piece = 200;
  for (std::size_t at = 0; at < changed.size(); at += piece) {
    Transaction transaction(*database_);
    for (std::size_t i = at; i < std::min(at + piece, changed.size()); ++i) take(changed[i]);
    transaction.commit();
  }
}

void SessionIndex::forget(std::int64_t session_id) {
  database_->prepare("DELETE FROM words WHERE rowid IN (SELECT id FROM entry WHERE session = ?)")
      .bind(1, session_id)
      .run();
  database_->prepare("DELETE FROM entry WHERE session = ?").bind(1, session_id).run();
  database_->prepare("DELETE FROM session WHERE id = ?").bind(1, session_id).run();
}

/// Puts a session's entries in the place of its old ones. The files are read inside of the transaction, so what is
/// written last is also the newest.
void SessionIndex::take(const std::string& name) {
  {
    Statement old = database_->prepare("SELECT id FROM session WHERE name = ?");
    old.bind(1, name);
    if (old.step()) forget(old.integer(0));
  }
  const std::optional<std::int64_t> stamp = stamp_of(open_folder(root_).get(), name);
  if (!stamp) return;
  Manifest manifest;
  try {
    manifest = read_manifest(root_ / name);
  } catch (const RecorderError&) {
    manifest.sample_rate =
        1;  // with its stamp and nothing in it, until its manifest changes; the library says what is wrong
  }

  database_->prepare("INSERT INTO session (name, stamp, rate) VALUES (?, ?, ?)")
      .bind(1, name)
      .bind(2, *stamp)
      .bind(3, std::int64_t{manifest.sample_rate})
      .run();
  Statement last = database_->prepare("SELECT last_insert_rowid()");
  last.step();
  const std::int64_t session = last.integer(0);

  Statement taken = database_->prepare("SELECT max(id) FROM entry WHERE id BETWEEN ? AND ?");
  Statement entry =
      database_->prepare("INSERT INTO entry (id, session, segment, start, end, note) VALUES (?, ?, ?, ?, ?, ?)");
  Statement words = database_->prepare("INSERT INTO words (rowid, text, title, body) VALUES (?, ?, ?, ?)");
  const auto add = [&](const Segment& at, Frame end, const std::string& note, const std::string& text,
                       const std::string& title, const std::string& body) {
    std::int64_t id = id_at(manifest.time_of_frame(at.speech_start_frame));
    taken.bind(1, id).bind(2, id | ((std::int64_t{1} << kIdBits) - 1));
    if (taken.step() && taken.integer(0) >= id) id = taken.integer(0) + 1;
    taken.run();
    entry.bind(1, id)
        .bind(2, session)
        .bind(3, std::int64_t{at.index})
        .bind(4, at.speech_start_frame)
        .bind(5, end)
        .bind(6, note)
        .run();
    words.bind(1, id).bind(2, text).bind(3, title).bind(4, body).run();
  };

  for (const Segment& segment : manifest.segments) {
    if (!segment.text.empty()) add(segment, segment.speech_end_frame, "", utf8::on_one_line(segment.text), "", "");
  }
  for (const Note& note : manifest.notes) {
    if (!journal::is_inside(note.path)) continue;
    Segment first;
    Frame end = 0;
    std::string body;
    for (const std::uint32_t index : note.segments) {
      const Segment* segment = manifest.find(index);
      if (segment == nullptr) continue;
      if (end == 0) first = *segment;
      end = std::max(end, segment->speech_end_frame);
      if (!body.empty()) body += ' ';
      body += utf8::on_one_line(segment->text);
    }
    add(first, end, note.path, "", utf8::on_one_line(note.title), body);
  }
}

std::vector<SessionMatch> SessionIndex::search(const SessionSearch& query) {
  std::vector<SessionMatch> hits;
  guarded([&] { hits = search_now(query); });
  return hits;
}

std::vector<SessionMatch> SessionIndex::search_now(const SessionSearch& query) {
  const std::string match = match_expression(query);
  if (match.empty() && query.text.find_first_not_of(" \t\r\n") != std::string::npos)
    return {};  // words that nobody can say
  std::string sql = fmt::format(
      "SELECT words.rowid, session.name, session.rate, entry.segment, entry.start, entry.end, entry.note, words.title,"
      " highlight(words, 0, char({0}), char({1})), highlight(words, 2, char({0}), char({1}))"
      " FROM words CROSS JOIN entry ON entry.id = words.rowid CROSS JOIN session ON session.id = entry.session"
      " WHERE words.rowid >= ?1 AND words.rowid < ?2",
      int{kMarkBegin}, int{kMarkEnd});
  if (!match.empty()) sql += " AND words MATCH ?3";
  if (query.scope == SessionSearch::Scope::segments) sql += " AND entry.note = ''";
  if (query.scope == SessionSearch::Scope::notes) sql += " AND entry.note <> ''";
  if (!query.session.empty()) sql += " AND session.name = ?4";
  sql += " ORDER BY words.rowid DESC";

  Statement statement = database_->prepare(sql);
  statement.bind(1, query.from ? id_at(*query.from) : 0);
  statement.bind(2, query.before ? id_at(*query.before) : std::numeric_limits<std::int64_t>::max());
  if (!match.empty()) statement.bind(3, match);
  if (!query.session.empty()) statement.bind(4, query.session);

  std::vector<SessionMatch> hits;
  std::string gone;  // the last session that is no longer there
  while (hits.size() < query.limit && statement.step()) {
    const std::string name = statement.text(1);
    // The file may be somebody else's: no path of it is taken that leads out of the root.
    if (name == gone || !journal::is_session_name(name)) continue;
    SessionMatch hit;
    hit.session = root_ / name;
    std::error_code ignored;
    if ((hits.empty() || hits.back().session != hit.session) &&
        !fs::exists(hit.session / journal::kManifestFile, ignored)) {
      gone = name;
      continue;
    }
    hit.said_at = time_of_id(statement.integer(0));
    hit.sample_rate = static_cast<int>(statement.integer(2));
    hit.segment_index = static_cast<std::uint32_t>(statement.integer(3));
    hit.start_frame = statement.integer(4);
    hit.end_frame = statement.integer(5);
    hit.note_path = statement.text(6);
    if (!hit.note_path.empty() && !journal::is_inside(hit.note_path)) continue;
    hit.note_title = statement.text(7);
    hit.text = statement.text(hit.note_path.empty() ? 8 : 9);
    hit.marks = take_marks(hit.text);
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace dictum::session
