#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"

namespace dictum::journal {

/// The folder of one session, and the only way to open what is in it: relative to the folder's descriptor, never
/// through a link, and regular files only. A session may come from somebody else, with links, pipes and devices under
/// the names of its files; nothing outside of the folder is read or changed through them, and nothing waits for them.
///
/// Threads: any, one at a time. Owner: whoever reads or writes the session; holds one descriptor.
class SessionFolder {
 public:
  /// Opens the folder. Throws RecorderError(session_unreadable), or as a write does where the process or the disk lacks
  /// what it takes.
  explicit SessionFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  /// Opens the file `name`, which may be in a folder below; `flags` as of open(2). What O_CREAT makes has mode 0600.
  /// An invalid descriptor and `errno` where the file is not there, or cannot be opened; ELOOP where a link is on the
  /// way, EINVAL where it is no regular file.
  UniqueFD try_open(const std::filesystem::path& name, int flags) const noexcept;

  /// The same; throws RecorderError: session_unreadable where the name is not a regular file inside of the folder,
  /// else disk_full or output_unwritable.
  UniqueFD open(const std::filesystem::path& name, int flags) const;

  /// Makes the file `name`, new and empty, for reading and writing; what a crash, or somebody else, left under its name
  /// is removed first. Throws as `open`.
  UniqueFD make(const std::filesystem::path& name) const;

  /// Whether `name` is the name of an open file. True where that cannot be found out.
  bool is_name_of(int file, const std::filesystem::path& name) const noexcept;

  enum class Place { unchanged, moved, removed };

  /// What became of the folder since it was opened: whether its path leads to it still.
  Place place() const noexcept;

  /// The same folder by the path that it has now. Throws RecorderError.
  SessionFolder by_its_new_path() const;

  /// The content of a file. Throws RecorderError(session_unreadable), also where it is larger than `limit` bytes,
  /// or was made large without being written (it has a hole of more than 16 MiB).
  std::string read(const std::filesystem::path& name, std::size_t limit) const;

  /// Whether anything of that name is there: a file, a link, a folder.
  bool has(const std::filesystem::path& name) const noexcept;

  /// Removes a file, or the link of that name; nothing where there is none. False where it cannot.
  bool remove(const std::filesystem::path& name) const noexcept;

  /// Makes a folder below, of mode 0700, where there is none. Throws as `open`.
  void make_folder(const std::filesystem::path& name) const;

  /// Gives a file another name, in the place of what has it. Throws RecorderError.
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) const;

  /// Waits until a file's content is safe from a power cut. Throws RecorderError.
  void sync_file(const std::filesystem::path& name) const;

  /// The same for the names of the files in the folder, or in one below.
  void sync_names(const std::filesystem::path& below = {}) const;

  /// Whether the folder belongs to this user and nobody else can write to it: a session that may be worked on unasked.
  bool is_private() const noexcept;

 private:
  SessionFolder(std::filesystem::path path, UniqueFD folder);
  UniqueFD open_parent(const std::filesystem::path& name) const noexcept;

  std::filesystem::path path_;
  UniqueFD folder_;
};

}  // namespace dictum::journal
