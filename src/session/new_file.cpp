#include "session/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "dictum/error.hpp"

namespace dictum::session {

void write_new_file(const std::filesystem::path& file, std::string_view text) {
  // Where something is already, it stays. What was said is for this user alone, also under a lax umask.
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  std::FILE* const out = fd < 0 ? nullptr : ::fdopen(fd, "w");
  if (out == nullptr) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("'{}' cannot be made: {}.", file.string(), std::generic_category().message(errno)));
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  if (std::fclose(out) == 0 && written) return;
  const int error = errno;
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  throw RecorderError(
      error == ENOSPC ? Errc::disk_full : Errc::output_unwritable,
      fmt::format("'{}' cannot be written: {}.", file.string(), std::generic_category().message(error)));
}

}  // namespace dictum::session
