#include "tui/palette.hpp"

#include <array>
#include <cstdint>
#include <ftxui/screen/color.hpp>
#include <optional>
#include <utility>

namespace dictum::tui {
namespace {

struct Tint {
  std::uint8_t red, green, blue;
  std::uint8_t index;  // of the 256
};

// Of middling lightness, so that they are read on dark and on light grounds alike.
constexpr Tint kGrey{0x86, 0x8e, 0x9b, 245};
constexpr Tint kEdge{0x5a, 0x64, 0x74, 240};
constexpr Tint kBlue{0x4c, 0x9d, 0xf3, 75};
constexpr Tint kTeal{0x1f, 0xb9, 0xa4, 37};
constexpr Tint kGreen{0x3f, 0xa9, 0x5c, 71};
constexpr Tint kAmber{0xd8, 0x95, 0x1c, 172};
constexpr Tint kRed{0xe5, 0x4b, 0x4b, 167};
constexpr Tint kWhite{0xff, 0xff, 0xff, 231};
constexpr Tint kInk{0x10, 0x14, 0x1a, 233};
constexpr Tint kButton{0x2f, 0x5f, 0x9e, 25};
constexpr Tint kSlate{0x4a, 0x53, 0x60, 239};

struct Look {
  std::optional<Tint> front;
  std::optional<Tint> back;
  bool bold = false;
};

Look look(Role role) {
  switch (role) {
    case Role::text:
      return {};
    case Role::dim:
    case Role::interim:
      return {.front = kGrey, .back = {}};
    case Role::border:
      return {.front = kEdge, .back = {}};
    case Role::heading:
      return {.front = kGrey, .back = {}, .bold = true};
    case Role::accent:
      return {.front = kBlue, .back = {}};
    case Role::speech:
      return {.front = kTeal, .back = {}};
    case Role::quiet:
      return {.front = kEdge, .back = {}};
    case Role::good:
      return {.front = kGreen, .back = {}};
    case Role::warning:
      return {.front = kAmber, .back = {}};
    case Role::failure:
      return {.front = kRed, .back = {}};
    case Role::badge_on:
      return {.front = kWhite, .back = kRed, .bold = true};
    case Role::badge_wait:
      return {.front = kInk, .back = kAmber, .bold = true};
    case Role::badge_off:
      return {.front = kWhite, .back = kSlate, .bold = true};
    case Role::button:
      return {.front = kWhite, .back = kButton, .bold = true};
    case Role::selected:
      return {.front = kWhite, .back = kButton};
    case Role::found:
      return {.front = kInk, .back = kAmber};
  }
  return {};
}

ftxui::Decorator without_colour(Role role) {
  switch (role) {
    case Role::heading:
    case Role::speech:
    case Role::warning:
    case Role::failure:
    case Role::accent:
      return ftxui::bold;
    case Role::dim:
    case Role::border:
    case Role::quiet:
    case Role::interim:
      return ftxui::dim;
    case Role::badge_on:
    case Role::button:
    case Role::badge_wait:
    case Role::badge_off:
    case Role::selected:
      return ftxui::inverted;
    case Role::found:
      return ftxui::underlined;
    case Role::text:
    case Role::good:
      break;
  }
  return ftxui::nothing;
}

}  // namespace

Palette Palette::faded() const {
  Palette palette = *this;
  palette.is_faded_ = true;
  return palette;
}

ftxui::Decorator Palette::operator()(Role role) const {
  const bool is_badge = role == Role::badge_on || role == Role::badge_wait || role == Role::badge_off;
  if (is_faded_ && !is_badge) role = Role::quiet;
  if (colours_ == Colours::none) return without_colour(role);
  const auto colour = [this](const Tint& tint) {
    return colours_ == Colours::many ? ftxui::Color(tint.red, tint.green, tint.blue)
                                     : ftxui::Color(static_cast<ftxui::Color::Palette256>(tint.index));
  };
  const Look look_of = look(role);
  ftxui::Decorator decorator = ftxui::nothing;
  if (look_of.front) decorator = decorator | ftxui::color(colour(*look_of.front));
  if (look_of.back) decorator = decorator | ftxui::bgcolor(colour(*look_of.back));
  if (look_of.bold) decorator = decorator | ftxui::bold;
  return decorator;
}

}  // namespace dictum::tui
