#pragma once

#include <boost/describe/members.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/mp11/algorithm.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "dictum/command.hpp"

namespace dictum::server {

/// The JSON schema of a command's fields, from its struct.
template <class Body>
boost::json::object command_schema() {
  boost::json::object properties;
  boost::json::array required;
  boost::mp11::mp_for_each<boost::describe::describe_members<Body, boost::describe::mod_public>>([&](auto member) {
    using Field = std::remove_cvref_t<decltype(std::declval<Body&>().*member.pointer)>;
    boost::json::object& schema = properties[member.name].emplace_object();
    if constexpr (std::is_same_v<Field, std::optional<double>>) {
      schema = {{"type", {"number", "null"}}};
    } else {
      required.emplace_back(member.name);
      if constexpr (std::is_same_v<Field, VADMode>) {
        schema = {{"type", "string"}, {"enum", {to_string(VADMode::normal), to_string(VADMode::long_note)}}};
      } else if constexpr (std::is_same_v<Field, bool>) {
        schema = {{"type", "boolean"}};
      } else if constexpr (std::is_same_v<Field, std::string>) {
        schema = {{"type", "string"}};
      } else {
        static_assert(std::is_same_v<Field, std::vector<std::string>>, "a kind of field without a schema");
        schema = {{"type", "array"}, {"items", {{"type", "string"}}}};
      }
    }
  });
  boost::json::object made{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) made["required"] = std::move(required);
  return made;
}

}  // namespace dictum::server
