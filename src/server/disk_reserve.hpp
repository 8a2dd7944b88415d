#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace dictum::server {

/// What a disk keeps free for recordings, in bytes, where nobody says another number.
inline constexpr std::uint64_t kDiskReserve = std::uint64_t{256} << 20;

/// Why `bytes` more may not be written to the disk of a folder: less than `reserve` would be left of it; one sentence.
/// Empty where they may, and where the disk does not say. Any thread; blocks.
std::string why_below_reserve(const std::filesystem::path& folder, std::uint64_t bytes, std::uint64_t reserve);

}  // namespace dictum::server
