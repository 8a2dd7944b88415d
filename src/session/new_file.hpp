#pragma once

#include <filesystem>
#include <string_view>

namespace dictum::session {

/// Writes a file that is not there yet: where something is already, it stays. Throws RecorderError(output_unwritable or
/// disk_full); no part of a file is left then.
void write_new_file(const std::filesystem::path& file, std::string_view text);

}  // namespace dictum::session
