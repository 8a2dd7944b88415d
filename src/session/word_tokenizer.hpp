#pragma once

struct sqlite3;

namespace dictum::session {

/// The name of the tokenizer in `CREATE VIRTUAL TABLE … USING fts5 (…, tokenize = 'NAME')`.
inline constexpr const char* kWordTokenizer = "dictum_words";

/// Gives this connection the tokenizer of the search index: the terms of text::index_terms, compared as text::folded.
/// A query goes through it like a text does, so a part of a Chinese, Japanese, Thai or Korean text is found as a phrase
/// of its letters. Throws DatabaseError.
void register_word_tokenizer(sqlite3* connection);

}  // namespace dictum::session
