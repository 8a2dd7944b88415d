#include "base/private_folders.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace dictum {

std::error_code make_private_folders(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(folder, error).lexically_normal();
  if (error) return error;
  std::filesystem::path at;
  for (const std::filesystem::path& part : whole) {
    if (part.empty()) continue;
    at /= part;
    if (::mkdir(at.c_str(), S_IRWXU) == 0) continue;
    const int failure = errno;
    if (!std::filesystem::is_directory(at, error)) {
      return {failure == EEXIST ? ENOTDIR : failure, std::generic_category()};
    }
  }
  return {};
}

}  // namespace dictum
