#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/scope.hpp"

namespace dictum::server {

/// The tokens that open a server, as hashes: a token itself is nowhere on disk. A file of them has one a line,
/// "sha256:HEX SCOPE,SCOPE"; empty lines and those that begin with # are passed over. A token is 256 random bits, so a
/// fast hash keeps it as safe as a slow one does.
///
/// A value; `scopes_of` is safe from any thread.
class TokenList {
 public:
  /// Reads a file of tokens. Throws RecorderError: input_not_found; config_invalid for a line that is something else,
  /// and for a file that others than its owner may change.
  void add_file(const std::filesystem::path& file);

  /// What is in such a file. Throws RecorderError(config_invalid), naming the line.
  void add(std::string_view text);

  bool is_empty() const { return entries_.empty(); }

  /// What a token may do; empty for one that is not known. Takes the same time whichever it is.
  std::optional<Scopes> scopes_of(std::string_view token) const;

 private:
  struct Entry {
    std::string hash;
    Scopes scopes;
  };
  std::vector<Entry> entries_;
};

/// A token that nobody can guess. Throws RecorderError(internal) where the system gives no random numbers.
std::string random_token();

/// Makes a token, adds its hash to a file, which is made where there is none, for its user alone (0600), and returns
/// it: it is shown once. Throws RecorderError: output_unwritable, disk_full.
std::string make_token(const std::filesystem::path& file, const Scopes& scopes);

}  // namespace dictum::server
