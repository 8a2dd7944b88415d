#pragma once

#include <cstddef>
#include <deque>
#include <ftxui/dom/elements.hpp>
#include <ftxui/screen/box.hpp>
#include <optional>
#include <string>
#include <utility>

#include "tui/model.hpp"
#include "tui/palette.hpp"
#include "tui/view.hpp"

/// From the values to the screen. Pure: nothing here knows of a terminal, a clock or a thread.
namespace dictum::tui {

struct Size {
  int width{};
  int height{};
  bool operator==(const Size&) const = default;
};

/// Where on the drawn screen what can be clicked is. Must live as long as the element that was drawn with it; filled
/// while that is rendered.
class Targets {
 public:
  ftxui::Decorator add(Target target);

  /// What has been added so far is covered, and not to be hit.
  void cover() { first_ = areas_.size(); }

  /// What is at that cell.
  std::optional<Target> at(int x, int y) const;

 private:
  std::size_t first_ = 0;
  std::deque<std::pair<ftxui::Box, Target>> areas_;
};

/// The least size in which everything is there.
inline constexpr Size kLeastSize{60, 16};

ftxui::Element draw(const Model& model, const View& view, const KeyMap& keys, Size size, const Palette& palette,
                    Targets& targets);

/// The screen as the bytes that a terminal gets, rows separated by "\r\n".
std::string render(const Model& model, const View& view, const KeyMap& keys, Size size, const Palette& palette);

}  // namespace dictum::tui
