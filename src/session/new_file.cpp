#include "session/new_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "dictum/error.hpp"

namespace dictum::session {

void write_new_file(const std::filesystem::path& file, std::string_view text) {
  // "x": where something is already, it stays.
  std::FILE* out = std::fopen(file.c_str(), "wxe");
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
