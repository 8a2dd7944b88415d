#include "tui/visible.hpp"

#include <fmt/format.h>
#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <cstdint>

#include "base/utf8.hpp"

namespace dictum::tui {
namespace {

constexpr std::size_t kMaxHalfWord = 16;

bool is_invisible(std::uint32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x061C || (c >= 0x200B && c <= 0x200C) || c == 0x200E ||
         c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

/// What joins, colours or restyles the emoji before it. Terminals disagree on how wide the result is, which would shift
/// the rest of the row, so the emoji are shown one by one.
bool is_emoji_glue(std::uint32_t c) {
  return c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0x1F3FB && c <= 0x1F3FF);
}

/// Cells of one character. Terminals go by the C library or by the same tables, which count a mark that stands beside
/// its letter (as in Hindi) as a cell; what is newer than the tables takes one.
int width_of(std::uint32_t c) {
  if (c < 0x300) return 1;
  static const locale_t tables = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t before = tables == nullptr ? nullptr : ::uselocale(tables);
  const int width = ::wcwidth(static_cast<wchar_t>(c));
  if (before != nullptr) ::uselocale(before);
  return width < 0 ? 1 : width;
}

}  // namespace

Glyph glyph_at(std::string_view text, std::size_t begin) {
  const auto first = utf8::decode(text, begin);
  std::size_t end = first.next;
  while (end < text.size()) {
    const auto mark = utf8::decode(text, end);
    if (width_of(mark.value) > 0) break;
    end = mark.next;
  }
  return {end, width_of(first.value)};
}

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
  int width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto point = utf8::decode(text, at);
    width += width_of(point.value);
    at = point.next;
  }
  return width;
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
  // Rather a word less than half a one.
  const std::size_t space = text.find(' ', begin);
  if (space != std::string_view::npos && space - begin < kMaxHalfWord) begin = space + 1;
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
