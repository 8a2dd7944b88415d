#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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

/// Writes a session to a file; what is missing in it, a sentence each. `format`: empty for the file's extension.
std::vector<std::string> export_session(const std::filesystem::path& session, const std::filesystem::path& file,
                                        const std::string& format, std::optional<int> revision, bool whole_timeline);

/// The microphones, as [{id, name, description, ...}].
std::string list_devices(const std::string& backend);

/// The transcribers that are installed, as [{name, executable, is_auto}].
std::string list_transcribers();

/// The speech models that are installed, as [{name, path}].
std::string list_models();

/// Every setting, as [{name, help, default, one_of, least, most}].
std::string describe_settings();

}  // namespace dictum::python
