#include "server/disk_reserve.hpp"

#include <fmt/format.h>

#include <system_error>

namespace dictum::server {

std::string why_below_reserve(const std::filesystem::path& folder, std::uint64_t bytes, std::uint64_t reserve) {
  std::error_code error;
  const std::uint64_t available = std::filesystem::space(folder, error).available;
  if (error || (available >= reserve && available - reserve >= bytes)) return {};
  return fmt::format("The disk of {} has {} MiB left, and {} MiB are kept for recordings. Free some space.",
                     folder.string(), available >> 20, reserve >> 20);
}

}  // namespace dictum::server
