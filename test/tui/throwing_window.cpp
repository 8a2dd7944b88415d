#include <cstdio>
#include <exception>
#include <stdexcept>

#include "tui_window.hpp"

/// The terminal UI's window with a defect: whatever a key asks for throws.
int main() {
  using namespace dictum;
  try {
    program::TUIWindow window(tui::KeyMap(), tui::Palette(tui::Palette::Colours::many),
                              [](const tui::Command&) { throw std::runtime_error("a defect"); });
    window.show(std::make_shared<const tui::Model>());
    window.run();
  } catch (const std::exception& error) {
    std::printf("caught %s\n", error.what());
    return 1;
  }
  return 0;
}
