#include "journal/disk_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "dictum/error.hpp"

namespace dictum::journal {

void throw_disk_error(int error, const std::filesystem::path& path) {
  const std::string reason = std::generic_category().message(error);
  // To whoever wants to go on recording, a quota and a limit on a file's size are a full disk.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    throw RecorderError(
        Errc::disk_full,
        fmt::format("No room is left for '{}' ({}): free some space, or record elsewhere.", path.string(), reason));
  }
  throw RecorderError(
      Errc::output_unwritable,
      fmt::format("'{}' cannot be written ({}): check the folder and its permissions.", path.string(), reason));
}

}  // namespace dictum::journal
