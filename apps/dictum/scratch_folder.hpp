#pragma once

#include <filesystem>

namespace dictum::program {

/// A new folder for temporary files, which is deleted with everything in it when this object is destroyed. Owner: one
/// command. The constructor throws RecorderError(output_unwritable).
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace dictum::program
