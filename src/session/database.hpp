#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace dictum::session {

/// What SQLite had to say.
class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}

  bool is_passing() const;  ///< another process is at it, or there is no room: nothing is wrong with the file
  bool is_full() const;     ///< there is no room
  bool is_damage() const;   ///< the file is no database, is damaged, or has other tables

 private:
  int code_;  // SQLITE_..., without the extension
};

/// One prepared statement. One thread at a time; owned by whoever runs it, and gone before its database. Throws
/// DatabaseError.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view value);  ///< which must live until the run is over

  /// Goes to the next row; false where there is none, and the statement can then be run again.
  bool step();
  /// Runs a statement that has no rows.
  void run();

  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

/// A connection to a SQLite file that several processes use at once (write-ahead log, five seconds of patience). One
/// thread at a time. Throws DatabaseError.
class Database {
 public:
  /// Opens the file, or makes it (mode 0600); ":memory:" is in no file.
  explicit Database(const std::filesystem::path& file);

  void run(const char* sql);
  Statement prepare(std::string_view sql) { return {connection_.get(), sql}; }

 private:
  struct Closer {
    void operator()(sqlite3* connection) const;
  };
  std::unique_ptr<sqlite3, Closer> connection_;
};

/// A transaction that writes: nobody else does meanwhile. What was not committed is rolled back.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace dictum::session
