#include "tui/text_input.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "tui/visible.hpp"

namespace dictum::tui {
namespace {

bool is_character(std::string_view key) {
  if (key.empty()) return false;
  const auto character = utf8::decode(key, 0);
  return character.valid && character.next == key.size();
}

}  // namespace

/// Where it begins, with the marks that stand on it.
std::size_t TextInput::character_before_cursor() const {
  std::size_t begin = 0;
  while (begin < cursor_) {
    const std::size_t end = std::max(glyph_at(text_, begin).end, begin + 1);
    if (end >= cursor_) break;
    begin = end;
  }
  return begin;
}

bool TextInput::press(std::string_view key) {
  if (key == "left") {
    cursor_ = character_before_cursor();
  } else if (key == "right") {
    if (cursor_ < text_.size()) cursor_ = glyph_at(text_, cursor_).end;
  } else if (key == "home") {
    cursor_ = 0;
  } else if (key == "end") {
    cursor_ = text_.size();
  } else if (key == "backspace") {
    const std::size_t begin = character_before_cursor();
    text_.erase(begin, cursor_ - begin);
    cursor_ = begin;
  } else if (key == "delete") {
    if (cursor_ < text_.size()) text_.erase(cursor_, glyph_at(text_, cursor_).end - cursor_);
  } else if (key == "ctrl-u") {
    text_.erase(0, cursor_);
    cursor_ = 0;
  } else if (key == "space" || is_character(key)) {
    const std::string_view written = key == "space" ? " " : key;
    text_.insert(cursor_, written);
    cursor_ += written.size();
  } else {
    return false;
  }
  return true;
}

}  // namespace dictum::tui
