#include "plain_text.hpp"

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

}  // namespace dictum::workers
