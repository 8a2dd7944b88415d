#pragma once

#include <filesystem>

namespace dictum {

/// Throws RecorderError, disk_full or output_unwritable, for `error` (an errno) at `path`: what is wrong and what to
/// do.
[[noreturn]] void throw_disk_error(int error, const std::filesystem::path& path);

}  // namespace dictum
