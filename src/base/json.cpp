#include "base/json.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <string_view>

#include "base/utf8.hpp"

namespace dictum::json {
namespace {

void write_string(std::string& out, std::string_view text) {
  const std::string clean = utf8::is_valid(text) ? std::string() : utf8::repaired(text);
  out += '"';
  for (const char c : clean.empty() ? text : std::string_view(clean)) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void write_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";  // JSON has no other word for it
    return;
  }
  fmt::format_to(std::back_inserter(out), "{}", number);
}

class Writer {
 public:
  Writer(std::string& out, bool indented) : out_(out), indented_(indented) {}

  void write(const boost::json::value& value) {
    switch (value.kind()) {
      case boost::json::kind::null: out_ += "null"; break;
      case boost::json::kind::bool_: out_ += value.get_bool() ? "true" : "false"; break;
      case boost::json::kind::int64: fmt::format_to(std::back_inserter(out_), "{}", value.get_int64()); break;
      case boost::json::kind::uint64: fmt::format_to(std::back_inserter(out_), "{}", value.get_uint64()); break;
      case boost::json::kind::double_: write_double(out_, value.get_double()); break;
      case boost::json::kind::string: write_string(out_, value.get_string()); break;
      case boost::json::kind::array: write_array(value.get_array()); break;
      case boost::json::kind::object: write_object(value.get_object()); break;
    }
  }

 private:
  void write_array(const boost::json::array& array) {
    out_ += '[';
    ++depth_;
    bool first = true;
    for (const auto& item : array) {
      separate(first);
      write(item);
    }
    close(first, ']');
  }

  void write_object(const boost::json::object& object) {
    out_ += '{';
    ++depth_;
    bool first = true;
    for (const auto& [key, item] : object) {
      separate(first);
      write_string(out_, key);
      out_ += indented_ ? ": " : ":";
      write(item);
    }
    close(first, '}');
  }

  void separate(bool& first) {
    if (!first) out_ += ',';
    first = false;
    new_line();
  }

  void close(bool empty, char bracket) {
    --depth_;
    if (!empty) new_line();
    out_ += bracket;
  }

  void new_line() {
    if (!indented_) return;
    out_ += '\n';
    out_.append(depth_ * 2, ' ');
  }

  std::string& out_;
  const bool indented_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string to_line(const boost::json::value& value) {
  std::string out;
  Writer(out, false).write(value);
  return out;
}

std::string to_pages(const boost::json::value& value) {
  std::string out;
  Writer(out, true).write(value);
  out += '\n';
  return out;
}

}  // namespace dictum::json
