#pragma once

#include <ftxui/dom/elements.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tui/draw.hpp"
#include "tui/model.hpp"
#include "tui/palette.hpp"
#include "tui/times.hpp"
#include "tui/view.hpp"

/// What the parts of the screen are drawn with, and the parts. For draw.cpp and its siblings.
namespace dictum::tui {

/// Everything that a part is drawn from. Lives for one screen.
struct Brush {
  const Model& model;
  const View& view;
  const KeyMap& keys;
  const Palette& paint;
  Targets& targets;
};

// Words.

/// Text of ours, or such as has been made visible already.
ftxui::Element words(const Brush& brush, std::string_view text, Role role = Role::text);
/// Text from outside: made visible, and cut to the width.
ftxui::Element foreign(const Brush& brush, std::string_view text, int width, Role role = Role::text);

/// What is being typed, with its cursor, as far as there is room; of what does not fit, the beginning is left out.
ftxui::Element input_line(const Brush& brush, const TextInput& input, int width);
std::string key_label(std::string_view key);        ///< "SPACE", "p"
std::string way_to_begin_note(const Model& model);  ///< "Say “start a new note” while recording."

// Shapes.

/// Something at the right of a title.
struct Corner {
  ftxui::Element element = ftxui::emptyElement();
  int cells = 0;
};
/// A frame with a title; `size` includes it, and `body` is cut to fit.
ftxui::Element framed(const Brush& brush, Size size, std::string_view title, Corner right, ftxui::Element body,
                      Role edge = Role::border);
ftxui::Element framed(const Brush& brush, Size size, std::string_view title, ftxui::Element body);
/// A line with a title in it.
ftxui::Element ruled(const Brush& brush, int width, std::string_view title, Corner right = {});
/// Over whatever is drawn below it.
ftxui::Element cover(ftxui::Element element);
/// Exactly so many cells.
ftxui::Element sized(ftxui::Element element, Size size);
/// A bar that is `share` (0 to 1) full.
ftxui::Element bar(const Brush& brush, int width, double share, Role role);

// Parts.

ftxui::Element draw_recorder(const Brush& brush, Size size);  ///< at least `kRecorderRows`
inline constexpr int kRecorderRows = 4;
/// Whether it records, for pages that hide where that stands.
Corner state_corner(const Brush& brush);
/// How long its text took, or has been waited for; how long somebody has been speaking.
std::string latency(const Model& model, const Line& line);
ftxui::Element draw_transcript(const Brush& brush, Size size);
/// That it follows, or how much is below.
Corner transcript_corner(const Brush& brush);
ftxui::Element draw_status_lines(const Brush& brush, int width);
ftxui::Element draw_status_line(const Brush& brush, int width);
inline constexpr int kStatusLines = 8;
ftxui::Element draw_notes(const Brush& brush, Size size);
ftxui::Element draw_note_line(const Brush& brush, int width);
ftxui::Element draw_notices(const Brush& brush, Size size);
ftxui::Element draw_notice_line(const Brush& brush, int width);
ftxui::Element draw_footer(const Brush& brush, int width);
/// What lies over the main screen while one looks at another page.
ftxui::Element draw_page(const Brush& brush, Size screen);

}  // namespace dictum::tui
