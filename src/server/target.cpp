#include "server/target.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::server {
namespace {

[[noreturn]] void refuse(std::string sentence) {
  throw RecorderError(Errc::invalid_argument, std::move(sentence));
}

/// The value of a hexadecimal digit; -1 where it is none.
constexpr int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (plus_is_space && text[at] == '+') {
      out += ' ';
    } else if (text[at] != '%') {
      out += text[at];
    } else {
      const int high = at + 1 < text.size() ? digit(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? digit(text[at + 2]) : -1;
      if (high < 0 || low < 0)
        refuse("The address has a '%' without two hexadecimal digits behind it: write it as %25.");
      out += static_cast<char>(high * 16 + low);
      at += 2;
    }
  }
  if (!utf8::is_valid(out)) refuse("The address is not UTF-8.");
  for (const char c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) refuse("The address has a control character in it.");
  }
  return out;
}

}  // namespace

Target parse_target(std::string_view target) {
  Target parsed;
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  if (!path.starts_with('/') || path.find('#') != std::string_view::npos) {
    refuse("The address of a request begins with '/' and has no '#'.");
  }
  path.remove_prefix(1);
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    std::string segment = decoded(path.substr(0, end), false);
    if (segment.empty() || segment == "." || segment == ".." || segment.find_first_of("/\\") != std::string::npos) {
      refuse("The path of a request has no empty segments, no '.', no '..' and no encoded slashes.");
    }
    parsed.path.push_back(std::move(segment));
    if (end + 1 == path.size()) refuse("The path of a request does not end in '/'.");
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  std::string_view query = question == std::string_view::npos ? "" : target.substr(question + 1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name = decoded(pair.substr(0, equals), true);
    std::string value = decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (const auto [at, is_new] = parsed.query.emplace(std::move(name), std::move(value)); !is_new) {
      refuse(fmt::format("The parameter \"{}\" is given twice.", utf8::on_one_line(at->first)));
    }
  }
  return parsed;
}

}  // namespace dictum::server
