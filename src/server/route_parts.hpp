#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "server/route.hpp"

/// What the tables of routes have in common. Any thread; no state.
namespace dictum::server {

inline constexpr const char* kJSON = "application/json";

Response json_response(const boost::json::value& value);

/// The folder of a session directly below the root. Throws RecorderError(input_not_found).
std::filesystem::path session_of(const Library& library, const std::string& name);
std::filesystem::path session_of(const Library& library, const Call& call);

/// The body, an object; none stands for an empty one. `what` says what the object has in it. Throws
/// RecorderError(invalid_argument).
boost::json::object body_of(const Call& call, std::string_view what);

Parameter session_parameter();
Parameter query(std::string name, Parameter::Type type, std::string about);
Parameter number(std::string name, Parameter::In in, std::uint64_t min, std::uint64_t max, std::string about);
Parameter header(std::string name, std::string about);
Parameter choice(std::string name, std::vector<std::string> choices, std::string about);

/// A session with its segments, as GET of it answers.
Response session_response(const std::filesystem::path& session);

/// What changes, verifies and exports sessions that were recorded; part of `make_routes`.
std::vector<Route> make_library_routes();

}  // namespace dictum::server
