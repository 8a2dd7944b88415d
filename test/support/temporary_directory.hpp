#pragma once

#include <filesystem>

namespace dictum::test {

/// Where a folder of a test is made.
enum class Medium {
  disk,    ///< where the system keeps temporary files
  memory,  ///< where a flush takes no time, if the system has such a place: for thousands of short sessions
};

/// A fresh folder that is gone, with all that is in it, at the end of the test.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(Medium medium = Medium::disk);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace dictum::test
