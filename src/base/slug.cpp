#include "base/slug.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/utf8.hpp"

namespace dictum {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Beyond ASCII, what is no letter, digit or mark: spaces, punctuation, symbols, and what cannot be seen.
constexpr std::array kSeparators = {
    Range{0x0080, 0x00A9},   Range{0x00AB, 0x00B4},   Range{0x00B6, 0x00B9},   Range{0x00BB, 0x00BF},
    Range{0x00D7, 0x00D7},   Range{0x00F7, 0x00F7},   Range{0x034F, 0x034F},   Range{0x061C, 0x061C},
    Range{0x115F, 0x1160},   Range{0x1680, 0x1680},   Range{0x17B4, 0x17B5},   Range{0x180B, 0x180F},
    Range{0x2000, 0x206F},   Range{0x2190, 0x2BFF},   Range{0x2E00, 0x2E7F},   Range{0x3000, 0x3004},
    Range{0x3008, 0x3020},   Range{0x3030, 0x3030},   Range{0x3164, 0x3164},   Range{0xD800, 0xF8FF},
    Range{0xFE00, 0xFE1F},   Range{0xFE30, 0xFE6F},   Range{0xFEFF, 0xFEFF},   Range{0xFF00, 0xFF0F},
    Range{0xFF1A, 0xFF20},   Range{0xFF3B, 0xFF40},   Range{0xFF5B, 0xFF65},   Range{0xFFA0, 0xFFA0},
    Range{0xFFE0, 0xFFFF},   Range{0x1D100, 0x1D1FF}, Range{0x1F000, 0x1FAFF}, Range{0x1FFFE, 0x1FFFF},
    Range{0xE0000, 0x10FFFF}};

bool separates(std::uint32_t c) {
  if (c < 0x80) return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
  return std::ranges::any_of(kSeparators, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

}  // namespace

std::string note_slug(std::string_view title) {
  std::string slug;
  bool gap = false;
  for (std::size_t at = 0; at < title.size() && slug.size() < kMaxSlugBytes;) {
    const utf8::CodePoint point = utf8::decode(title, at);
    at = point.next;
    if (!point.valid || separates(point.value)) {
      const bool apostrophe = point.value == '\'' || point.value == 0x2019;  // "don't" is one word
      gap = gap || !apostrophe;
      continue;
    }
    std::string piece = gap && !slug.empty() ? "-" : "";
    gap = false;
    const bool upper = point.value >= 'A' && point.value <= 'Z';
    utf8::append(piece, upper ? point.value - 'A' + 'a' : point.value);
    if (slug.size() + piece.size() > kMaxSlugBytes) break;
    slug += piece;
  }
  return slug.empty() ? "note" : slug;
}

}  // namespace dictum
