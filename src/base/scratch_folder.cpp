#include "base/scratch_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include "base/private_folders.hpp"
#include "base/xdg.hpp"
#include "dictum/error.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".dictum-scratch-";  // hidden, and the name of no session

/// An open folder of this user's that is locked from now on; invalid where it is not one, or another process has it.
UniqueFD try_lock(const fs::path& folder) {
  UniqueFD opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0 || status.st_uid != ::geteuid()) return {};
  if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) return {};
  // It may have been removed between the two.
  struct stat named{};
  if (::lstat(folder.c_str(), &named) != 0 || named.st_ino != status.st_ino || named.st_dev != status.st_dev) return {};
  return opened;
}

}  // namespace

ScratchFolder::ScratchFolder() : ScratchFolder(temporary_folder()) {}

ScratchFolder::ScratchFolder(const fs::path& parent) {
  std::error_code error;
  const fs::path folder = fs::absolute(parent, error);
  if (!error) error = make_private_folders(folder);
  if (!error) remove_abandoned(folder);
  while (!error && !locked_) {  // another process may take it for abandoned before it is locked, and remove it
    std::string name = (folder / kPrefix).string() + "XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      error.assign(errno, std::generic_category());
      break;
    }
    path_ = name;
    locked_ = try_lock(path_);
    std::error_code ignored;
    if (!locked_ && fs::exists(path_, ignored)) break;  // a file system without locks: never removed by another then
  }
  if (error) {
    throw RecorderError(
        Errc::output_unwritable,
        fmt::format(
            "A folder for temporary files cannot be made in '{}': {}. Choose another with TMPDIR, or for sessions "
            "with --output-dir.",
            folder.string(), error.message()));
  }
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void ScratchFolder::remove_abandoned(const fs::path& parent) noexcept {
  try {
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
      if (!entry->path().filename().string().starts_with(kPrefix)) continue;
      std::error_code ignored;
      if (const UniqueFD lock = try_lock(entry->path())) fs::remove_all(entry->path(), ignored);
    }
  } catch (const std::exception&) {  // no memory: the next start removes them
  }
}

}  // namespace dictum
