#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dictum {

/// The folders of the library that this code is part of and of the running program: of their real files, whatever name
/// they were started by. Absolute; the current folder never decides. Safe from any thread.
std::vector<std::filesystem::path> own_folders();

/// Where programs of this installation are looked for, the first one wins: $DICTUM_WORKER_DIR where it is absolute,
/// then the libexec/dictum beside each of the `own_folders`, and that folder itself.
std::vector<std::filesystem::path> program_folders();

/// The entries of $PATH as they stand there. What is relative must not be used: the current folder never decides.
std::vector<std::string> path_entries();

/// Whether a regular file is there that this user may run.
bool is_program(const std::filesystem::path& path);

/// Where a program is: a path as it is, a name in the absolute folders of $PATH. Empty where there is none.
std::string find_command(const std::string& program);

/// The program `file` in the first of the `program_folders` that has it.
std::optional<std::filesystem::path> find_own_program(std::string_view file);

}  // namespace dictum
