#include "server/byte_range.hpp"

#include <algorithm>

#include "server/number.hpp"
#include "server/request.hpp"

namespace dictum::server {

std::variant<WholeFile, ByteRange, Unsatisfiable> parse_byte_range(std::string_view header, std::uint64_t file_size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!equal_ignoring_case(header.substr(0, kUnit.size()), kUnit)) return WholeFile{};
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return WholeFile{};
  const std::string_view from = header.substr(0, dash);
  const std::string_view to = header.substr(dash + 1);
  const auto last = parse_number(to);
  if (from.empty()) {  // the last bytes
    if (!last) return WholeFile{};
    if (*last == 0 || file_size == 0) return Unsatisfiable{};
    const std::uint64_t size = std::min(*last, file_size);
    return ByteRange{file_size - size, size};
  }
  const auto first = parse_number(from);
  if (!first || (!to.empty() && (!last || *last < *first))) return WholeFile{};
  if (*first >= file_size) return Unsatisfiable{};
  const std::uint64_t end = last && *last < file_size ? *last + 1 : file_size;
  return ByteRange{*first, end - *first};
}

}  // namespace dictum::server
