#pragma once

#include <filesystem>
#include <string>

/// Where the XDG base directory specification puts a program's files. The one place that reads these variables.
namespace dictum {

/// The value of an environment variable; empty where it is not set.
std::string environment(const char* name);

/// `$XDG_DATA_HOME/dictum`, else `$HOME/.local/share/dictum`; empty where neither variable is an absolute path: never
/// relative, so never the current folder.
std::filesystem::path data_folder();

/// `$XDG_CONFIG_HOME/dictum`, else `$HOME/.config/dictum`; empty likewise.
std::filesystem::path config_folder();

/// `$XDG_CACHE_HOME/dictum`, else `$HOME/.cache/dictum`; empty likewise.
std::filesystem::path cache_folder();

/// `$TMPDIR` where it is an absolute path, else /tmp.
std::filesystem::path temporary_folder();

}  // namespace dictum
