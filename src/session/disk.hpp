#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

/// What every file of a session needs: truthful errors, private modes, replacement in one step. No state.
namespace dictum::session {

/// Throws RecorderError, disk_full or output_unwritable, for `error` (an errno) at `path`: what is wrong and what to
/// do.
[[noreturn]] void throw_disk_error(int error, const std::filesystem::path& path);

/// Puts `content` in the place of the file `path` (made with mode 0600 where there is none): a reader finds the old
/// content or the new one, never a part of either. Throws as above; the old file is then as it was.
void replace_file(const std::filesystem::path& path, std::string_view content);

/// The whole of a file that may have been written by anybody. Throws RecorderError(session_unreadable) where it is
/// missing, no regular file, or larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit);

/// Waits until a file, or a folder's list of names, is on the disk. Throws as `throw_disk_error`.
void sync_to_disk(const std::filesystem::path& path);

}  // namespace dictum::session
