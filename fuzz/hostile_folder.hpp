#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::fuzz {

/// The bytes of a fuzzer as decisions, taken from the front. Behind the end every decision is 0.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  bool is_over() const { return left_.empty(); }
  unsigned int byte();
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : byte() % limit; }
  std::size_t number();     ///< of two bytes
  std::string_view text();  ///< its length, then its bytes

  template <class T, std::size_t N>
  const T& one_of(const T (&all)[N]) {
    return all[below(N)];
  }

 private:
  std::string_view left_;
};

/// What has a name in a folder: of every kind that somebody who prepares a folder can make.
struct Entry {
  enum class Kind { file, link, second_name, pipe, socket, device, folder };
  Kind kind = Kind::file;
  std::string content{};      ///< of a file; of a link and a second name, the path
  mode_t mode = 0600;         ///< of a file and a folder
  std::uintmax_t grown_to{};  ///< of a file: its size; what is behind `content` is a hole
};

/// The content of a folder, by paths relative to it. Folders above a path are made with it.
using FolderContent = std::map<std::string, Entry>;

/// Reads the regular files of a folder.
FolderContent read_folder(const std::filesystem::path& folder);

/// Makes a folder on the disk. Entries that the system refuses are left out.
void make_folder(const std::filesystem::path& folder, const FolderContent& content);

/// What the changes name.
struct Surroundings {
  std::string session;               ///< the name of the hostile session in the root
  std::vector<std::string> outside;  ///< files and folders outside of the session, for links
  std::vector<std::string> shared;   ///< files outside, for hard links, as some backups have them: they may be read
};

/// Applies the changes that `input` decides to the content of a root that has the session in it: to bytes, JSON values,
/// lines, kinds of files, modes and names, and further sessions.
void change(FolderContent& root, const Surroundings& surroundings, Input& input);

}  // namespace dictum::fuzz
