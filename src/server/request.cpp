#include "server/request.hpp"

#include <algorithm>

namespace dictum::server {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

const std::string* Request::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [&](const Header& each) { return equal_ignoring_case(each.name, name); });
  return found == headers.end() ? nullptr : &found->value;
}

std::size_t Request::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(headers, [&](const Header& each) { return equal_ignoring_case(each.name, name); }));
}

}  // namespace dictum::server
