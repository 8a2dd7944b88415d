#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace dictum::tui {

/// A text on one line that is being typed, with a cursor. A value.
class TextInput {
 public:
  TextInput() = default;
  explicit TextInput(std::string text) : text_(std::move(text)), cursor_(text_.size()) {}

  const std::string& text() const { return text_; }
  std::string_view before_cursor() const { return std::string_view(text_).substr(0, cursor_); }
  std::string_view behind_cursor() const { return std::string_view(text_).substr(cursor_); }

  /// `key` as `parse_key` names it. False for a key that neither writes nor moves the cursor.
  bool press(std::string_view key);

  bool operator==(const TextInput&) const = default;

 private:
  std::size_t character_before_cursor() const;

  std::string text_;
  std::size_t cursor_{};  // in bytes, between two characters
};

}  // namespace dictum::tui
