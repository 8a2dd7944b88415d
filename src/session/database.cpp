#include "session/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "base/unique_fd.hpp"
#include "session/word_tokenizer.hpp"

namespace dictum::session {
namespace {

void check(sqlite3* connection, int code) {
  if (code == SQLITE_OK) return;
  throw DatabaseError(code & 0xFF, connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code));
}

}  // namespace

bool DatabaseError::is_passing() const {
  return code_ == SQLITE_BUSY || code_ == SQLITE_LOCKED || code_ == SQLITE_NOMEM || is_full();
}

bool DatabaseError::is_full() const {
  return code_ == SQLITE_FULL;
}

bool DatabaseError::is_damage() const {
  return code_ == SQLITE_CORRUPT || code_ == SQLITE_NOTADB || code_ == SQLITE_ERROR;
}

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  check(database, sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_db_handle(statement_.get()), sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_text64(statement_.get(), parameter, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* const connection = sqlite3_db_handle(statement_.get());
  if (code != SQLITE_DONE) {
    const DatabaseError error(code & 0xFF, sqlite3_errmsg(connection));
    sqlite3_reset(statement_.get());
    throw error;
  }
  sqlite3_reset(statement_.get());
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text != nullptr ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)))
                         : "";
}

void Database::Closer::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

Database::Database(const std::filesystem::path& file) {
  std::filesystem::path real = file;
  if (file != ":memory:") {
    // Never what a link leads to, which may be a database of another program. SQLite refuses links anywhere in the
    // path.
    std::error_code error;
    real = std::filesystem::canonical(std::filesystem::absolute(file).parent_path(), error) / file.filename();
    if (error) throw DatabaseError(SQLITE_CANTOPEN, error.message());
    // SQLite gives its other files the mode of this one.
    const UniqueFD made(::open(real.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    struct stat status{};
    if (!made && errno == ELOOP) throw DatabaseError(SQLITE_NOTADB, "it is a link");
    if (made && (::fstat(made.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1)) {
      throw DatabaseError(SQLITE_NOTADB, "it is no file of ours");
    }
    // SQLite opens these by their names, and waits where one is a pipe.
    for (const char* suffix : {"-journal", "-wal", "-shm"}) {
      if (::lstat((real.string() + suffix).c_str(), &status) == 0 &&
          (!S_ISREG(status.st_mode) || status.st_nlink > 1)) {
        throw DatabaseError(SQLITE_NOTADB, "a file beside it is none of ours");
      }
    }
  }
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(real.c_str(), &connection,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr);
  connection_.reset(connection);
  check(connection, code);
  sqlite3_busy_timeout(connection, 5000);
  // A file that somebody prepared must not run anything, nor lead SQLite astray.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  register_word_tokenizer(connection);
  // Nothing is lost with an index that a power cut damaged: it is derived, and made again.
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cell_size_check=ON");
}

void Database::run(const char* sql) {
  check(connection_.get(), sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr));
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const DatabaseError&) {  // the error that brought us here has rolled back already
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace dictum::session
