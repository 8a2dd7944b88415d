#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace dictum::test {

/// Records what this process writes, flushes, renames and removes below a folder, and rebuilds the states that a power
/// cut could leave: what was flushed is there; of the rest, the file system may have written nothing, everything, or
/// some of it, in another order, a write torn between two sectors. Names appear and vanish in their order.
///
/// The program that uses it is linked with `--wrap` for the calls (the library dictum_disk_recorder). One at a time, on
/// one thread. While there is none, nothing is flushed. What it makes is for its owner alone, as the recorder's own.
class DiskRecorder {
 public:
  explicit DiskRecorder(std::filesystem::path root);
  ~DiskRecorder();
  DiskRecorder(const DiskRecorder&) = delete;
  DiskRecorder& operator=(const DiskRecorder&) = delete;

  /// The moments at which the power can be cut: behind so many calls.
  std::size_t moments() const { return calls_.size(); }

  enum class Unflushed { none, all, some };

  /// Makes in `into` what a cut behind the first `moment` calls could leave. `dice` decides where something is left.
  void rebuild(std::size_t moment, Unflushed unflushed, std::mt19937& dice, const std::filesystem::path& into) const;

  // The calls, by the wrapped functions. The descriptors and names are those of the call.
  void wrote(int fd, std::int64_t offset, std::string bytes);
  void truncated(int fd, std::int64_t size);
  void flushed(int fd);
  void linked(const std::filesystem::path& folder);
  void renamed(int from_folder, const char* from, int to_folder, const char* to);
  void removed(int folder, const char* name);
  void freed(int folder, const char* name);  ///< before a name loses its file

  static DiskRecorder* current();

 private:
  struct Call {
    enum class Kind { write, truncate, flush, folder, link, rename, remove, flush_names };
    Kind kind{};
    std::uint64_t file{};
    std::int64_t offset{};  // or size
    std::string bytes;
    std::filesystem::path name;  // relative to the root
    std::filesystem::path to;
  };

  std::filesystem::path name_of(int fd) const;
  bool notice(int fd, std::uint64_t& file);
  std::string content(std::uint64_t file, std::size_t moment, Unflushed unflushed, std::mt19937& dice) const;
  std::map<std::filesystem::path, std::uint64_t> names(std::size_t moment, Unflushed unflushed, std::mt19937& dice,
                                                       std::set<std::filesystem::path>& folders) const;

  const std::filesystem::path root_;
  std::vector<Call> calls_;
  std::map<ino_t, std::uint64_t> files_;  // numbers of ours: the system gives an inode's number again
  std::uint64_t next_file_ = 1;
};

}  // namespace dictum::test
