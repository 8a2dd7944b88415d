#include "base/json.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
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
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
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
      case boost::json::kind::null:
        out_ += "null";
        break;
      case boost::json::kind::bool_:
        out_ += value.get_bool() ? "true" : "false";
        break;
      case boost::json::kind::int64:
        fmt::format_to(std::back_inserter(out_), "{}", value.get_int64());
        break;
      case boost::json::kind::uint64:
        fmt::format_to(std::back_inserter(out_), "{}", value.get_uint64());
        break;
      case boost::json::kind::double_:
        write_double(out_, value.get_double());
        break;
      case boost::json::kind::string:
        write_string(out_, value.get_string());
        break;
      case boost::json::kind::array:
        write_array(value.get_array());
        break;
      case boost::json::kind::object:
        write_object(value.get_object());
        break;
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

/// What boost::json::parser does, except for `on_double`.
struct ValueBuilder {
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  using Error = boost::system::error_code;
  using Text = boost::json::string_view;

  boost::json::value_stack stack;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t n, Error&) { return stack.push_object(n), true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t n, Error&) { return stack.push_array(n), true; }
  bool on_key_part(Text text, std::size_t, Error&) { return stack.push_chars(text), true; }
  bool on_key(Text text, std::size_t, Error&) { return stack.push_key(text), true; }
  bool on_string_part(Text text, std::size_t, Error&) { return stack.push_chars(text), true; }
  bool on_string(Text text, std::size_t, Error&) { return stack.push_string(text), true; }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t number, Text, Error&) { return stack.push_int64(number), true; }
  bool on_uint64(std::uint64_t number, Text, Error&) { return stack.push_uint64(number), true; }
  bool on_double(double approximate, Text digits, Error&) {
    double exact = approximate;  // stays where the number is out of a double's range
    std::from_chars(digits.data(), digits.data() + digits.size(), exact);
    return stack.push_double(exact), true;
  }
  bool on_bool(bool value, Error&) { return stack.push_bool(value), true; }
  bool on_null(Error&) { return stack.push_null(), true; }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }
};

}  // namespace

boost::json::value parse(std::string_view text, boost::system::error_code& error) {
  boost::json::basic_parser<ValueBuilder> parser{boost::json::parse_options()};
  parser.handler().stack.reset();
  // Written in one piece, so that a number's digits arrive together.
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = boost::json::error::extra_data;
  if (error) return nullptr;
  return parser.handler().stack.release();
}

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
