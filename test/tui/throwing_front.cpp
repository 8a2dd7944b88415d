#include <cstdio>
#include <exception>
#include <stdexcept>

#include "tui_front.hpp"

/// The terminal UI's front with a defect: whatever a key asks for throws.
int main() {
  using namespace dictum;
  try {
    program::TUIFront front(tui::KeyMap(), tui::Palette(tui::Palette::Colours::many),
                            [](const tui::Command&) { throw std::runtime_error("a defect"); });
    front.show(std::make_shared<const tui::Model>());
    front.run();
  } catch (const std::exception& error) {
    std::printf("caught %s\n", error.what());
    return 1;
  }
  return 0;
}
