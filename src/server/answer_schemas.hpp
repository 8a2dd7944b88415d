#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

/// What the answers of the API consist of, as JSON schemas. Any thread; no state.
namespace dictum::server {

/// The schemas by their names, for the components of the OpenAPI document.
boost::json::object shared_schemas();

/// The name of the schema of what an operation answers as JSON; empty where it answers no JSON.
std::string answer_schema(std::string_view operation);

}  // namespace dictum::server
