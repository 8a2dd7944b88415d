#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/unique_fd.hpp"
#include "journal/session_folder.hpp"

namespace dictum::journal {

/// New content for a file of a session, written beside it piece by piece: a reader finds the old content or, after
/// `commit`, the new one, never a part of either, also after a power cut. Without its name the old file stays as it was
/// and nothing is left beside it. Every function throws RecorderError: session_unreadable, disk_full,
/// output_unwritable.
///
/// Threads: one at a time. `folder` must outlive it.
class FileReplacement {
 public:
  FileReplacement(const SessionFolder& folder, std::filesystem::path name);
  ~FileReplacement();
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;

  void append(std::string_view content);

  /// Whether a commit waits for the disk: the content first, then the name. Without it a power cut may leave nothing.
  enum class Flush { now, never };
  void commit(Flush flush = Flush::now);

  /// For a file that goes on growing under its name: the open file, for reading and writing, before or after it is
  /// named.
  UniqueFD take_file() { return std::move(file_); }
  void give_name();

 private:
  const SessionFolder& folder_;
  const std::filesystem::path name_;
  const std::filesystem::path fresh_;
  UniqueFD file_;
  bool is_named_ = false;
};

/// All of it at once.
void replace_file(const SessionFolder& folder, const std::filesystem::path& name, std::string_view content);

}  // namespace dictum::journal
