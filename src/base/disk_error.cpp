#include "base/disk_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "dictum/error.hpp"

namespace dictum {
namespace {

std::string_view remedy(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
      return "close other programs, or raise the limit of open files (ulimit -n)";
    case EROFS:
      return "make the disk writable again, or record elsewhere";
    case EIO:
    case ENODEV:
    case ENXIO:
      return "the disk may be failing or gone: check it, or record elsewhere";
    case EEXIST:
      return "a file of that name is there already: move it away";
    default:
      return "check the folder and its permissions";
  }
}

}  // namespace

void throw_disk_error(int error, const std::filesystem::path& path) {
  const std::string reason = std::generic_category().message(error);
  // To whoever wants to go on recording, a quota and a limit on a file's size are a full disk.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw RecorderError(
        Errc::disk_full,
        fmt::format("No room is left for '{}' ({}): free some space, or record elsewhere.", path.string(), reason));
  }
  throw RecorderError(Errc::output_unwritable,
                      fmt::format("'{}' cannot be written ({}): {}.", path.string(), reason, remedy(error)));
}

}  // namespace dictum
