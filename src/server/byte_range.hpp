#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace dictum::server {

/// What a header `Range` asks of a file.
struct WholeFile {};  ///< no range, or one that this server does not serve, which HTTP allows to ignore
struct ByteRange {
  std::uint64_t first{};
  std::uint64_t size{};  ///< at least 1
  bool operator==(const ByteRange&) const = default;
};
struct Unsatisfiable {};  ///< nothing of it is in the file

/// Reads a header `Range`, which may be anything, for a file of `file_size` bytes. One range is served; several, other
/// units and what is malformed stand for the whole file. Any thread; no state.
std::variant<WholeFile, ByteRange, Unsatisfiable> parse_byte_range(std::string_view header, std::uint64_t file_size);

}  // namespace dictum::server
