#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tui/draw.hpp"

/// Screens to compare with goldens and to look at: each a state with a name.
namespace dictum::test {

struct NamedScreen {
  std::string name;
  tui::Model model;
  tui::View view;
  tui::Size size;
  tui::Palette::Colours colours = tui::Palette::Colours::many;
  tui::KeyMap keys{};
};

inline void PrintTo(const NamedScreen& screen, std::ostream* out) {
  *out << screen.name;
}

std::vector<NamedScreen> screens();

}  // namespace dictum::test
