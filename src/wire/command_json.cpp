#include "wire/command_json.hpp"

#include <fmt/format.h>

#include <boost/describe/members.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "wire/event_json.hpp"

namespace dictum::wire {
namespace {

namespace json = boost::json;

template <class Body>
using Members = boost::describe::describe_members<Body, boost::describe::mod_public>;

[[noreturn]] void refuse(std::string sentence) {
  throw RecorderError(Errc::invalid_argument, std::move(sentence));
}

json::value to_value(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}
json::value to_value(VADMode mode) {
  return json::value(to_string(mode));
}
json::value to_value(bool value) {
  return value;
}
json::value to_value(const std::string& value) {
  return json::value(value);
}
json::value to_value(const std::vector<std::string>& values) {
  return json::value_from(values);
}

// False where the value is of another kind.

bool read(const json::value& from, std::optional<double>& to) {
  if (from.is_null()) return true;
  if (!from.is_number()) return false;
  to = from.to_number<double>();
  return !std::isnan(*to);
}
bool read(const json::value& from, VADMode& to) {
  const auto mode = from.is_string() ? vad_mode(from.get_string()) : std::nullopt;
  to = mode.value_or(to);
  return mode.has_value();
}
bool read(const json::value& from, bool& to) {
  if (!from.is_bool()) return false;
  to = from.get_bool();
  return true;
}
bool read(const json::value& from, std::string& to) {
  if (!from.is_string()) return false;
  to = from.get_string().c_str();
  return to.size() == from.get_string().size();  // no zero byte in it
}

bool read(const json::value& from, std::vector<std::string>& to) {
  if (!from.is_array()) return false;
  for (const json::value& each : from.get_array()) {
    if (!read(each, to.emplace_back())) return false;
  }
  return true;
}

constexpr const char* what_is_wanted(const std::optional<double>&) {
  return "a number, or null";
}
constexpr const char* what_is_wanted(VADMode) {
  return R"("normal" or "long_note")";
}
constexpr const char* what_is_wanted(bool) {
  return "true or false";
}
constexpr const char* what_is_wanted(const std::string&) {
  return "a text";
}
constexpr const char* what_is_wanted(const std::vector<std::string>&) {
  return "a list of texts";
}

template <class T>
constexpr bool kIsOptional = false;
template <class T>
constexpr bool kIsOptional<std::optional<T>> = true;

template <class Body>
Body read_body(const json::object& from) {
  Body body;
  std::size_t known = 1;  // "command"
  boost::mp11::mp_for_each<Members<Body>>([&](auto member) {
    auto& field = body.*member.pointer;
    const json::value* const value = from.if_contains(member.name);
    if (value != nullptr) ++known;
    if (value == nullptr && kIsOptional<std::remove_cvref_t<decltype(field)>>) return;
    if (value == nullptr || !read(*value, field)) {
      refuse(fmt::format("The command {} needs \"{}\": {}.", Body::kName, member.name, what_is_wanted(field)));
    }
  });
  if (from.size() != known) refuse(fmt::format("The command {} has a field that is not known.", Body::kName));
  return body;
}

/// The alternative of that name, from the `index`th on.
template <std::size_t index = 0>
Command read_named(std::string_view name, const json::object& from) {
  if constexpr (index == std::variant_size_v<Command>) {
    refuse(fmt::format("There is no command \"{}\".", utf8::on_one_line(name.substr(0, 64))));
  } else {
    using Body = std::variant_alternative_t<index, Command>;
    if (name == Body::kName) return read_body<Body>(from);
    return read_named<index + 1>(name, from);
  }
}

}  // namespace

json::object to_json(const Command& command) {
  return std::visit(
      []<class Body>(const Body& body) {
        json::object made{{"command", Body::kName}};
        boost::mp11::mp_for_each<Members<Body>>(
            [&](auto member) { made.emplace(member.name, to_value(body.*member.pointer)); });
        return made;
      },
      command);
}

Command parse_command(std::string_view text) {
  boost::system::error_code error;
  const json::value value = dictum::json::parse(text, error);
  if (error) refuse(fmt::format("A command is a JSON object: {}.", error.message()));
  const json::object* const object = value.if_object();
  const json::value* const name = object == nullptr ? nullptr : object->if_contains("command");
  if (name == nullptr || !name->is_string()) refuse("A command is a JSON object with a \"command\".");
  return read_named(name->get_string(), *object);
}

}  // namespace dictum::wire
