#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "journal/session_folder.hpp"

namespace dictum::journal {

/// A file of lines that only grows, one write(2) for a line, so that whoever reads it beside us, or after `kill -9`,
/// finds whole lines. Lines that could not be written wait in memory and go before the next one, so that a disk that
/// was full for a while leaves no hole.
///
/// One thread at a time; owned by the session's writer. Throws RecorderError, disk_full or output_unwritable.
class AppendFile {
 public:
  /// More than this is not kept waiting: a line that comes on top of it is lost.
  static constexpr std::size_t kMaxPendingBytes = std::size_t{4} << 20;

  /// Opens the file, or makes it (mode 0600).
  AppendFile(const SessionFolder& folder, const std::filesystem::path& name);

  /// Appends `line`, which ends in a line break. When it throws, the file is as it was before.
  void append(std::string_view line);

  /// From now on keeps room on the disk for so many bytes to come, as long as the disk has it: lines that report a full
  /// disk fit then. On a file system that cannot do this, nothing is kept.
  void reserve(std::int64_t bytes);

  /// Gives the room back.
  void release_reserve() noexcept;

  /// Whether lines wait that could not be written; `append("")` tries again.
  bool has_waiting() const { return !waiting_.empty(); }

  /// Drops everything from `size` bytes on.
  void cut(std::int64_t size);

  /// Where the file lost its name (somebody removed it, or put another in its place): makes it again, with all that was
  /// written to it. False where it has its name. `before_name` gets the new file's descriptor before anybody else can
  /// open it. Where that or the disk fails, it throws, and the file is as it was.
  bool restore(const SessionFolder& folder, const std::function<void(int fd)>& before_name = {});

  int fd() const { return fd_.get(); }

 private:
  std::filesystem::path name_;
  std::filesystem::path path_;  // for people
  UniqueFD fd_;
  std::int64_t size_ = 0;
  std::int64_t reserve_ = 0;
  std::int64_t reserved_to_ = 0;  // offset
  std::string waiting_;

  void renew_reserve() noexcept;
};

}  // namespace dictum::journal
