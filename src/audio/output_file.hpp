#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/unique_fd.hpp"

namespace dictum::audio {

/// A new file that is written to by offset and says truthfully why it could not be. Mode 0600.
///
/// One thread at a time; owned by a writer. Every function throws RecorderError(disk_full) where there is no room, and
/// RecorderError(output_unwritable) for any other reason.
class OutputFile {
 public:
  /// Makes the file; one of that name must not exist.
  explicit OutputFile(const std::filesystem::path& path);

  /// Takes a file that was made already, for reading and writing; `path` is its name for people.
  OutputFile(UniqueFD file, std::filesystem::path path);

  /// Writes all of `bytes`, or throws; a part of them may then be in the file.
  void write_at(std::int64_t offset, std::span<const std::byte> bytes);
  void truncate(std::int64_t size);

  /// Closing reports errors that some file systems keep back until then. Nothing else may be called after it.
  void close();

  /// Goes on in `fresh`, an empty file, with all that was written so far.
  void move_to(UniqueFD fresh, std::filesystem::path path);

  int fd() const { return fd_.get(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  UniqueFD fd_;
};

}  // namespace dictum::audio
