#pragma once

#include <ftxui/dom/elements.hpp>

/// How the parts of the screen are distinguished: in colours where there are some, else in weight.
namespace dictum::tui {

/// What a piece of the screen is, as far as its looks go.
enum class Role {
  text,
  dim,
  border,
  heading,
  accent,
  speech,
  quiet,
  good,
  warning,
  failure,
  interim,
  badge_on,    ///< it records
  badge_wait,  ///< it is paused, or comes and goes
  badge_off,
  button,
  selected,
  found,
};

/// A value; any thread.
class Palette {
 public:
  enum class Colours { none, few, many };  ///< `NO_COLOR` and monochrome; 256; 24 bits

  explicit Palette(Colours colours) : colours_(colours) {}

  /// For what lies below a page: all of it quiet, but whether it records is seen.
  Palette faded() const;

  ftxui::Decorator operator()(Role role) const;

 private:
  Colours colours_;
  bool is_faded_ = false;
};

}  // namespace dictum::tui
