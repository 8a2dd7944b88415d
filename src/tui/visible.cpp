#include "tui/visible.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <ftxui/screen/string.hpp>

#include "base/utf8.hpp"

namespace dictum::tui {
namespace {

bool is_invisible(std::uint32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x061C || (c >= 0x200B && c <= 0x200C) || c == 0x200E ||
         c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

/// A character with the marks that sit on it.
struct Glyph {
  std::size_t end{};
  int width{};
};

/// What joins, colours or restyles the emoji before it. Terminals disagree on how wide the result is, which would shift
/// the rest of the row, so the emoji are shown one by one.
bool is_emoji_glue(std::uint32_t c) {
  return c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0x1F3FB && c <= 0x1F3FF);
}

Glyph glyph_at(std::string_view text, std::size_t begin) {
  std::size_t end = utf8::decode(text, begin).next;
  while (end < text.size()) {
    const std::size_t next = utf8::decode(text, end).next;
    if (cells(text.substr(end, next - end)) > 0) break;
    end = next;
  }
  return {end, cells(text.substr(begin, end - begin))};
}

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto point = utf8::decode(text, at);
    const std::uint32_t c = point.value;
    if (c == '\n' || c == '\t' || c == '\r') {
      out += ' ';
    } else if (c < 0x20) {
      utf8::append(out, 0x2400 + c);
    } else if (c == 0x7F) {
      utf8::append(out, 0x2421);
    } else if (is_emoji_glue(c)) {
      // left out
    } else if (is_invisible(c)) {
      out += fmt::format("‹{:X}›", c);
    } else {
      utf8::append(out, c);
    }
    at = point.next;
  }
  return out;
}

int cells(std::string_view text) {
  return ftxui::string_width(std::string(text));
}

std::string clipped(std::string_view text, int width) {
  if (cells(text) <= width) return std::string(text);
  int used = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const Glyph glyph = glyph_at(text, end);
    if (used + glyph.width > width - 1) break;
    used += glyph.width;
    end = glyph.end;
  }
  return width > 0 ? std::string(text.substr(0, end)) + "…" : "";
}

std::string tail(std::string_view text, int width) {
  int too_wide = cells(text) - width;
  if (too_wide <= 0) return std::string(text);
  if (width <= 0) return "";
  std::size_t begin = 0;
  for (too_wide += 1; too_wide > 0 && begin < text.size();) {
    const Glyph glyph = glyph_at(text, begin);
    too_wide -= glyph.width;
    begin = glyph.end;
  }
  return "…" + std::string(text.substr(begin));
}

std::vector<Row> wrapped(std::string_view text, int width) {
  width = std::max(width, 2);  // the widest character
  std::vector<Row> rows;
  std::size_t begin = 0;
  std::size_t space = 0;  // the newest one in this row: where the text before it ends
  int used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Glyph glyph = glyph_at(text, at);
    const bool is_space = text[at] == ' ';
    if (used + glyph.width > width && !is_space) {
      const bool at_space = space > begin;
      rows.push_back({begin, at_space ? space : at});
      if (at_space) at = space;
      while (at < text.size() && text[at] == ' ') ++at;
      begin = at;
      space = begin;
      used = 0;
      continue;
    }
    if (is_space) space = at;
    used += glyph.width;
    at = glyph.end;
  }
  std::size_t end = text.size();
  while (end > begin && text[end - 1] == ' ') --end;
  if (end > begin || rows.empty()) rows.push_back({begin, end});
  return rows;
}

}  // namespace dictum::tui
