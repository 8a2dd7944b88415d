#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Text from outside (recognisers, devices, files) for cells of a terminal. Pure.
namespace dictum::tui {

/// The text with everything shown that a terminal would obey or hide: control characters as their pictures ("␛"),
/// changes of the writing's direction and other invisible marks as "‹202E›", bytes that are no UTF-8 as U+FFFD. Line
/// breaks and tabs become spaces; what makes one emoji of several is left out.
std::string visible(std::string_view text);

/// A character with the marks that sit on it.
struct Glyph {
  std::size_t end{};  ///< byte of the text
  int width{};        ///< cells: 0 (a mark without a character), 1 or 2
};
Glyph glyph_at(std::string_view text, std::size_t begin);

/// Cells that it takes.
int cells(std::string_view text);

/// The beginning that fits `width` cells, with "…" where something was cut off.
std::string clipped(std::string_view text, int width);

/// The end that fits, with "…" before it.
std::string tail(std::string_view text, int width);

/// A row of a wrapped text: which bytes of it.
struct Row {
  std::size_t begin{};
  std::size_t end{};
  bool operator==(const Row&) const = default;
};

/// Breaks at spaces, and inside of words (and of scripts without spaces) where nothing else fits; never inside of a
/// character and its marks. At least one row.
std::vector<Row> wrapped(std::string_view text, int width);

}  // namespace dictum::tui
