#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

/// What every file of a session needs: truthful errors, private modes, replacement in one step. No state.
namespace dictum::journal {

/// Throws RecorderError, disk_full or output_unwritable, for `error` (an errno) at `path`: what is wrong and what to
/// do.
[[noreturn]] void throw_disk_error(int error, const std::filesystem::path& path);

/// New content for a file, written beside it piece by piece: a reader of `path` finds the old content or, after
/// `commit`, the new one, never a part of either. Made with mode 0600. Every function throws as above; without a commit
/// the old file stays as it was, and nothing is left beside it.
class FileReplacement {
 public:
  explicit FileReplacement(std::filesystem::path path);
  ~FileReplacement();
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;

  void append(std::string_view content);
  void commit();

 private:
  const std::filesystem::path path_;
  const std::filesystem::path fresh_;
  UniqueFD file_;
};

/// All of it at once.
void replace_file(const std::filesystem::path& path, std::string_view content);

/// The whole of a file that may have been written by anybody. Throws RecorderError(session_unreadable) where it is
/// missing, no regular file, or larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit);

/// Waits until a file, or a folder's list of names, is on the disk. Throws as `throw_disk_error`.
void sync_to_disk(const std::filesystem::path& path);

}  // namespace dictum::journal
