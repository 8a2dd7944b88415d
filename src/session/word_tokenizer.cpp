#include "session/word_tokenizer.hpp"

#include <sqlite3.h>

#include <new>
#include <string>
#include <string_view>

#include "session/database.hpp"
#include "text/words.hpp"

namespace dictum::session {
namespace {

using TakeToken = int (*)(void* context, int flags, const char* token, int size, int begin, int end);

// It has no state, so every instance is the same address.
int create(void* /*context*/, const char** /*arguments*/, int /*count*/, Fts5Tokenizer** made) {
  static char instance = 0;
  *made = reinterpret_cast<Fts5Tokenizer*>(&instance);
  return SQLITE_OK;
}

void destroy(Fts5Tokenizer* /*tokenizer*/) {}

/// Called by SQLite, through which no exception may pass.
int tokenize(Fts5Tokenizer* /*tokenizer*/, void* context, int /*flags*/, const char* bytes, int size,
             TakeToken take) noexcept {
  try {
    const std::string_view text(bytes, static_cast<std::size_t>(size));
    for (const text::Piece& term : text::index_terms(text)) {
      const std::string token = text::folded(term.of(text));
      const int code = take(context, 0, token.data(), static_cast<int>(token.size()), static_cast<int>(term.begin),
                            static_cast<int>(term.end));
      if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (...) {
    return SQLITE_ERROR;
  }
}

}  // namespace

void register_word_tokenizer(sqlite3* connection) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(connection, "SELECT fts5(?1)", -1, &statement, nullptr);
  if (code == SQLITE_OK) code = sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  if (code == SQLITE_OK) sqlite3_step(statement);
  sqlite3_finalize(statement);
  fts5_tokenizer tokenizer{create, destroy, tokenize};
  if (code == SQLITE_OK && api == nullptr) code = SQLITE_ERROR;
  if (code == SQLITE_OK) code = api->xCreateTokenizer(api, kWordTokenizer, nullptr, &tokenizer, nullptr);
  if (code != SQLITE_OK) throw DatabaseError(code & 0xFF, "SQLite has no full-text search (FTS5)");
}

}  // namespace dictum::session
