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

/// The input of a fuzzer, taken from its front. Behind its end everything is 0.
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

/// What stands under a name in a folder: all that a person who prepares a folder can put there.
struct Entry {
  enum class Kind { file, link, second_name, pipe, socket, device, folder };
  Kind kind = Kind::file;
  std::string content{};      ///< of a file; of a link and a second name, the path
  mode_t mode = 0600;         ///< of a file and a folder
  std::uintmax_t grown_to{};  ///< of a file: it has so many bytes, those behind `content` in no block of the disk
};

/// A folder in memory, by the names relative to it. Folders above a name are made with it.
using FolderContent = std::map<std::string, Entry>;

/// Reads the regular files of a folder.
FolderContent read_folder(const std::filesystem::path& folder);

/// Makes a folder on the disk. What the system refuses is left out.
void make_folder(const std::filesystem::path& folder, const FolderContent& content);

/// Where the folder is, for the changes.
struct Surroundings {
  std::string session;               ///< the name of the hostile session in the root
  std::vector<std::string> outside;  ///< files and folders that are none of the session's, for links
  std::vector<std::string> shared;   ///< files outside that may be read, for second names: so are some backups made
};

/// Carries out the changes that an input says, on the content of a root that has the session in it: bytes, JSON values
/// and lines, kinds of files, modes, names, further sessions.
void change(FolderContent& root, const Surroundings& surroundings, Input& input);

}  // namespace dictum::fuzz
