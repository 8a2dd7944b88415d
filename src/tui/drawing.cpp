#include "tui/drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <ftxui/dom/node.hpp>
#include <ftxui/screen/screen.hpp>
#include <memory>

#include "tui/visible.hpp"

namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace): the language that screens are described in

namespace {

std::string repeated(std::string_view glyph, int times) {
  std::string line;
  for (int i = 0; i < times; ++i) line += glyph;
  return line;
}

/// One row of text, in cells as `cells` counts them, which FTXUI's own text does not.
class Words : public Node {
 public:
  explicit Words(std::string_view shown) : shown_(shown) {}

  void ComputeRequirement() override {
    requirement_.min_x = cells(shown_);
    requirement_.min_y = 1;
  }

  void Render(Screen& screen) override {
    if (box_.y_min > box_.y_max) return;
    int x = box_.x_min;
    for (std::size_t at = 0; at < shown_.size();) {
      const Glyph glyph = glyph_at(shown_, at);
      if (x + glyph.width - 1 > box_.x_max) break;
      screen.PixelAt(x, box_.y_min).character = shown_.substr(at, glyph.end - at);
      if (glyph.width == 2) screen.PixelAt(x + 1, box_.y_min).character = "";
      x += glyph.width;
      at = glyph.end;
    }
  }

 private:
  const std::string shown_;
};

/// Clears what is below it, and the other half of what it cuts in two.
class Cover : public Node {
 public:
  explicit Cover(Element child) : Node({std::move(child)}) {}

  void ComputeRequirement() override {
    children_.front()->ComputeRequirement();
    requirement_ = children_.front()->requirement();
  }

  void SetBox(Box box) override {
    Node::SetBox(box);
    children_.front()->SetBox(box);
  }

  void Render(Screen& screen) override {
    for (int y = box_.y_min; y <= box_.y_max; ++y) {
      if (screen.PixelAt(box_.x_min, y).character.empty()) screen.PixelAt(box_.x_min - 1, y).character = " ";
      if (screen.PixelAt(box_.x_max + 1, y).character.empty()) screen.PixelAt(box_.x_max + 1, y).character = " ";
      for (int x = box_.x_min; x <= box_.x_max; ++x) screen.PixelAt(x, y) = Pixel();
    }
    Node::Render(screen);
  }
};

}  // namespace

Element words(const Brush& brush, std::string_view shown, Role role) {
  return std::make_shared<Words>(shown) | brush.paint(role);
}

Element cover(Element element) {
  return std::make_shared<Cover>(std::move(element));
}

Element foreign(const Brush& brush, std::string_view raw, int width, Role role) {
  return words(brush, clipped(visible(raw), width), role);
}

Element input_line(const Brush& brush, const TextInput& input, int width) {
  const std::string before = tail(visible(input.before_cursor()), width - 2);
  const std::string behind = clipped(visible(input.behind_cursor()), std::max(width - 1 - cells(before), 0));
  return hbox({words(brush, before) | bold, words(brush, "▏", Role::accent), words(brush, behind) | bold});
}

std::string key_label(std::string_view key) {
  if (key.size() < 2 || (static_cast<unsigned char>(key.front()) & 0x80) != 0) return std::string(key);
  std::string label(key);
  std::ranges::transform(label, label.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return label;
}

std::string way_to_begin_note(const Model& model) {
  return model.spoken.empty() ? "" : fmt::format("Say “{}” while recording.", visible(model.spoken.front().phrase));
}

Element sized(Element element, Size wanted) {
  return std::move(element) | size(WIDTH, EQUAL, wanted.width) | size(HEIGHT, EQUAL, wanted.height);
}

Element framed(const Brush& brush, Size whole, std::string_view title, Corner right, Element body, Role edge_role) {
  const auto edge = [&](std::string_view shown) { return words(brush, shown, edge_role); };
  const std::string name = clipped(title, std::max(whole.width - 8, 1));
  const int left_cells = 3 + cells(name) + 1;  // "╭─ name "
  const bool has_right = right.cells > 0 && left_cells + right.cells + 4 <= whole.width;
  const int filled = whole.width - left_cells - (has_right ? right.cells + 2 : 0) - 1;
  Elements top{edge("╭─ "), words(brush, name, Role::heading), edge(" " + repeated("─", filled))};
  if (has_right) {
    top.push_back(edge(" "));
    top.push_back(std::move(right.element));
    top.push_back(edge(" "));
  }
  top.push_back(edge("╮"));
  const Size inside{whole.width - 4, whole.height - 2};
  const auto side = [&] {
    Elements rows;
    for (int row = 0; row < inside.height; ++row) rows.push_back(edge("│"));
    return vbox(std::move(rows));
  };
  return vbox({
      hbox(std::move(top)) | size(WIDTH, EQUAL, whole.width),
      hbox({side(), text(" "), sized(std::move(body), inside), text(" "), side()}),
      edge("╰" + repeated("─", whole.width - 2) + "╯"),
  });
}

Element framed(const Brush& brush, Size whole, std::string_view title, Element body) {
  return framed(brush, whole, title, Corner{}, std::move(body));
}

Element ruled(const Brush& brush, int width, std::string_view title, Corner right) {
  const int filled = width - 4 - cells(title) - (right.cells > 0 ? right.cells + 3 : 0);
  Elements parts{words(brush, "── ", Role::border), words(brush, title, Role::heading),
                 words(brush, " " + repeated("─", filled), Role::border)};
  if (right.cells > 0) {
    parts.push_back(text(" "));
    parts.push_back(std::move(right.element));
    parts.push_back(words(brush, " ─", Role::border));
  }
  return hbox(std::move(parts)) | size(WIDTH, EQUAL, width);
}

Element bar(const Brush& brush, int width, double share, Role role) {
  const int halves =
      static_cast<int>(std::lround((std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0) * width * 2));
  const std::string full = repeated("━", halves / 2) + (halves % 2 == 1 ? "╸" : "");
  return hbox({words(brush, full, role), words(brush, repeated("─", width - (halves + 1) / 2), Role::quiet)});
}

}  // namespace dictum::tui
