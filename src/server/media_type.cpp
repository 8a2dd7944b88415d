#include "server/media_type.hpp"

#include <algorithm>

#include "server/request.hpp"

namespace dictum::server {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// What is before the separator; `text` keeps what is behind it.
std::string_view cut(std::string_view& text, char separator) noexcept {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view front = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return front;
}

/// 0: it does not fit; else the larger, the more specific.
int fit(std::string_view range, std::string_view media_type) noexcept {
  if (equal_ignoring_case(range, media_type)) return 3;
  if (range == "*/*") return 1;
  const std::string_view type = media_type.substr(0, media_type.find('/') + 1);
  return range.ends_with("/*") && equal_ignoring_case(range.substr(0, range.size() - 1), type) ? 2 : 0;
}

/// A weight of nothing: "0", "0.0", "0.000".
bool is_zero(std::string_view weight) noexcept {
  return weight.starts_with('0') && weight.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

std::string_view essence(std::string_view content_type) noexcept {
  return trimmed(cut(content_type, ';'));
}

bool accepts(std::string_view header, std::string_view media_type) noexcept {
  if (trimmed(header).empty()) return true;
  int best = 0;
  bool accepted = false;
  while (!header.empty()) {
    std::string_view parameters = cut(header, ',');
    const int specific = fit(trimmed(cut(parameters, ';')), media_type);
    if (specific <= best) continue;
    best = specific;
    accepted = true;
    while (!parameters.empty()) {
      std::string_view value = cut(parameters, ';');
      if (equal_ignoring_case(trimmed(cut(value, '=')), "q") && is_zero(trimmed(value))) accepted = false;
    }
  }
  return accepted;
}

}  // namespace dictum::server
