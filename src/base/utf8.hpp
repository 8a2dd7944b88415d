#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Text from outside (recognisers, file names, people) as UTF-8.
namespace dictum::utf8 {

/// The code point that begins at `text[position]`, and where the next one begins. `valid` is false where the bytes are
/// no well-formed UTF-8 (overlong forms and surrogates included); the next position is then one byte on.
struct CodePoint {
  std::uint32_t value{};
  std::size_t next{};
  bool valid{};
};
CodePoint decode(std::string_view text, std::size_t position) noexcept;

/// Appends `code_point` to `out`.
void append(std::string& out, std::uint32_t code_point);

/// Whether the byte is inside a character: not its first.
constexpr bool continues(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Whether a terminal, or whoever reads one line, is misled by it: control characters, line breaks, and invisible
/// changes of the writing's direction.
bool is_unsafe_to_show(std::uint32_t code_point) noexcept;

bool is_valid(std::string_view text) noexcept;

/// `text` with every byte that is not well-formed replaced by U+FFFD.
std::string repaired(std::string_view text);

/// `repaired`, with a space for every control character, line break and invisible change of the writing's direction:
/// safe to show on a terminal, in a list, or as one line of a file.
std::string on_one_line(std::string_view text);

}  // namespace dictum::utf8
