#pragma once

#include <filesystem>

#include "base/unique_fd.hpp"

namespace dictum {

/// A new folder for temporary files, of mode 0700, which is deleted with everything in it when this object is
/// destroyed. What a process that was killed leaves behind is removed by the next one that makes a folder in the same
/// place, or calls `remove_abandoned`: a folder whose owner lives is locked. Owner: one command.
class ScratchFolder {
 public:
  /// Makes it in `$TMPDIR`. Throws as the other.
  ScratchFolder();

  /// Makes it in `parent`, and `parent` where it is missing. Throws RecorderError(output_unwritable).
  explicit ScratchFolder(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  /// Removes those of this user in `parent` that nobody has locked. What cannot be removed stays.
  static void remove_abandoned(const std::filesystem::path& parent) noexcept;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  UniqueFD locked_;
};

}  // namespace dictum
