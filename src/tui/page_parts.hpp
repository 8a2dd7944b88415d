#pragma once

#include <ftxui/dom/elements.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tui/drawing.hpp"

/// What the pages over the main screen are made of. For draw_pages.cpp and draw_library.cpp.
namespace dictum::tui {

struct Hint {
  std::string key;  ///< as it is shown
  std::string word;
  std::string pressed;  ///< by a click
};

/// A page: its body, and below it what the keys do there.
struct PageParts {
  std::string title;
  Size size;  ///< with the frame
  std::function<ftxui::Element(Size)> body;
  std::vector<Hint> hints;
};

/// As many rows as there is room for, the selected one among them. `draw` makes the row of an index; on a selected row
/// its colours give way, so that it can be read.
ftxui::Element list(const Brush& brush, Size size, std::size_t count,
                    const std::function<ftxui::Element(std::size_t, bool)>& draw);

/// A text that is made visible already, wrapped.
ftxui::Element message(const Brush& brush, Size size, std::string_view shown, Role role = Role::dim);

/// What the keys of the page do, and how to go back.
std::vector<Hint> page_hints(const Brush& brush, std::string_view back = "back");

/// Where there is not much room around it, all of the screen.
Size large(Size screen);

PageParts sessions_page(const Brush& brush, Size screen);
PageParts notes_page(const Brush& brush, Size screen);
PageParts reading_page(const Brush& brush, Size screen);
PageParts exporting_page(const Brush& brush, Size screen);
PageParts editing_page(const Brush& brush, Size screen);
PageParts deleting_page(const Brush& brush, Size screen);
PageParts redoing_page(const Brush& brush, Size screen);

}  // namespace dictum::tui
