#include "session/markdown.hpp"

#include "base/utf8.hpp"

namespace dictum::session {

std::string without_markup(std::string_view text) {
  constexpr std::string_view special = R"(\`*_[]<>&#|~$)";
  std::string out;
  for (const char c : utf8::on_one_line(text)) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  // A list, a rule or a quotation begins only at the start of a line.
  const std::size_t marker = out.find_first_not_of("0123456789");
  if (marker != std::string::npos && (out[marker] == '-' || out[marker] == '+' || out[marker] == '=' ||
                                      (marker > 0 && (out[marker] == '.' || out[marker] == ')')))) {
    out.insert(marker, 1, '\\');
  }
  return out;
}

}  // namespace dictum::session
