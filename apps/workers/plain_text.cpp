#include "plain_text.hpp"

#include <cctype>
#include <utility>

#include "base/utf8.hpp"

namespace dictum::workers {

std::string plain_text(std::string_view printed) {
  const std::string text = utf8::repaired(printed);
  std::string out;
  bool gap = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) {
      gap = true;
      continue;
    }
    if (std::exchange(gap, false) && !out.empty()) out += ' ';
    out += c;
  }
  return out;
}

std::vector<std::string> bare_words(std::string_view text, std::size_t most) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte)) {
      word += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else if (c != '\'') {
      finish();
    }
    if (words.size() == most) return words;
  }
  finish();
  return words;
}

}  // namespace dictum::workers
