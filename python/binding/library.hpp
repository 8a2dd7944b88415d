#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

/// Sessions on disk, as JSON for Python. Blocks on files; without the GIL. Throws RecorderError.
namespace dictum::python {

/// [{path, name, problem, is_open}], oldest first.
std::string list_sessions(const std::filesystem::path& root);

/// One of them: a path, a name, the beginning of just one name, or "last".
std::string find_session(const std::filesystem::path& root, const std::string& what);

/// [{session, text, marks: [[begin, end]] in characters, note_title, note_path, segment_index, ...}], newest first.
std::string search(const std::filesystem::path& root, const std::string& text, const std::string& scope,
                   std::optional<double> since, std::optional<double> before, const std::string& session,
                   std::int64_t limit);

}  // namespace dictum::python
