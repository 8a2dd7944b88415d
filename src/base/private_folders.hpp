#pragma once

#include <filesystem>
#include <system_error>

namespace dictum {

/// Makes a folder and those above it that are missing, for this user alone (0700) whatever the umask. Returns why it
/// cannot be made; no error where it is there already.
std::error_code make_private_folders(const std::filesystem::path& folder);

}  // namespace dictum
