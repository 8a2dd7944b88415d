#include "server/openapi.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "server/problem.hpp"

namespace dictum::server {
namespace {

namespace json = boost::json;

json::object schema_of(const Parameter& parameter) {
  switch (parameter.type) {
    case Parameter::Type::session:
      return {{"type", "string"}, {"pattern", "^[0-9]{8}_[0-9]{6}(-[0-9]+)?$"}};
    case Parameter::Type::number:
      return {{"type", "integer"}, {"minimum", parameter.min}, {"maximum", parameter.max}};
    case Parameter::Type::text:
      return {{"type", "string"}, {"maxLength", parameter.max}};
    case Parameter::Type::time:
      return {{"type", "string"}, {"format", "date-time"}};
    case Parameter::Type::choice:
      return {{"type", "string"}, {"enum", json::value_from(parameter.choices)}};
    case Parameter::Type::cursor:
    case Parameter::Type::event_types:
      return {{"type", "string"}};
  }
  return {};
}

json::object operation_of(const Route& route) {
  json::array parameters;
  for (const Parameter& each : route.parameters) {
    parameters.push_back({{"name", each.name},
                          {"in", each.in == Parameter::In::path ? "path" : "query"},
                          {"required", each.is_required},
                          {"description", each.about},
                          {"schema", schema_of(each)}});
  }
  json::object content;
  for (const std::string& type : route.produces) content[type] = json::object();
  json::object responses{{"200", {{"description", "Success"}, {"content", content}}}};
  if (route.name == "get_segment_audio") {
    responses["206"] = {{"description", "The range that was asked for"}, {"content", content}};
  }
  if (route.websocket != Route::WebSocket::never) {
    responses["101"] = {{"description", "A WebSocket, where the request asks for one"}};
  }
  if (route.websocket == Route::WebSocket::required) responses.erase("200");
  responses["default"] = {{"$ref", "#/components/responses/Problem"}};
  json::object operation{{"operationId", route.name},
                         {"summary", route.summary},
                         {"parameters", std::move(parameters)},
                         {"responses", std::move(responses)}};
  if (route.body_schema) {
    operation["requestBody"] = {
        {"required", route.body_schema->contains("required")},
        {"content",
         {{route.takes_form ? "multipart/form-data" : "application/json", {{"schema", *route.body_schema}}}}}};
  }
  // Without tokens, on this machine alone, a server lets everybody in.
  json::array security;
  if (route.scope != Scope::none) {
    security = {json::object{{"token", json::array{to_string(route.scope)}}}, json::object()};
  }
  operation["security"] = std::move(security);
  return operation;
}

}  // namespace

json::object openapi_document(const std::vector<Route>& routes) {
  json::object paths;
  for (const Route& route : routes) {
    json::value& path = paths[route.pattern];
    if (!path.is_object()) path.emplace_object();
    std::string method = route.method;
    std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    path.as_object()[method] = operation_of(route);
  }
  const json::object problem{
      {"type", "object"},
      {"required", {"type", "title", "status", "detail", "code"}},
      {"properties",
       {{"type", {{"type", "string"}}},
        {"title", {{"type", "string"}}},
        {"status", {{"type", "integer"}}},
        {"detail", {{"type", "string"}, {"description", "What happened, and what to do; one sentence."}}},
        {"code", {{"type", "string"}, {"description", "For programs."}}}}}};
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "Dictum"}, {"version", DICTUM_VERSION}}},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", {{"Problem", problem}}},
            {"responses",
             {{"Problem",
               {{"description", "What went wrong (RFC 9457)"},
                {"content", {{kProblemType, {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}}}}},
            {"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace dictum::server
