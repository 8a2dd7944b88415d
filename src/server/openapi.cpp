#include "server/openapi.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "server/answer_schemas.hpp"
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
      if (parameter.in == Parameter::In::header) return {{"type", "string"}};
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

const char* to_string(Parameter::In in) {
  switch (in) {
    case Parameter::In::path:
      return "path";
    case Parameter::In::query:
      return "query";
    case Parameter::In::header:
      return "header";
  }
  return "";
}

/// The statuses of the problems that a route may answer. A request for what is not a route has others: 404, 405.
std::vector<int> problems_of(const Route& route) {
  std::vector<int> statuses = {400, 403, 406, 413, 421, 431, 500, 503};
  const auto add = [&](std::initializer_list<int> more) { statuses.insert(statuses.end(), more); };
  const auto is_in_path = [](const Parameter& each) { return each.in == Parameter::In::path; };
  const bool changes = route.method != "GET";
  if (route.scope != Scope::none) add({401});
  if (changes || route.name == "events" || std::ranges::any_of(route.parameters, is_in_path)) add({404});
  if (route.websocket != Route::WebSocket::never) add({426});
  if (route.name == "get_segment_audio") add({416});
  if (route.method == "POST") add({415});
  if (route.takes_form) add({429});
  if (changes || route.runs != Route::Runs::on_loop) add({409, 507});
  if (changes) add({504});
  std::ranges::sort(statuses);
  return statuses;
}

json::object content_of(const Route& route) {
  json::object content;
  for (const std::string& type : route.produces) {
    json::object& kind = content[type].emplace_object();
    if (type == "application/json") {
      kind["schema"] = {{"$ref", "#/components/schemas/" + answer_schema(route.name)}};
    } else if (type == "text/event-stream") {
      continue;  // its events are those of docs/server.md
    } else if (type.starts_with("text/") || type.starts_with("application/")) {
      kind["schema"] = {{"type", "string"}};
    }
  }
  return content;
}

json::object operation_of(const Route& route) {
  json::array parameters;
  for (const Parameter& each : route.parameters) {
    parameters.push_back({{"name", each.name},
                          {"in", to_string(each.in)},
                          {"required", each.is_required},
                          {"description", each.about},
                          {"schema", schema_of(each)}});
  }
  const json::object content = content_of(route);
  json::object responses{{"200", {{"description", "Success"}, {"content", content}}}};
  if (route.name == "get_segment_audio") {
    responses["206"] = {{"description", "The range that was asked for"}, {"content", content}};
  }
  if (route.websocket != Route::WebSocket::never) {
    responses["101"] = {{"description", "A WebSocket, where the request asks for one"}};
  }
  if (route.websocket == Route::WebSocket::required) responses.erase("200");
  for (const int status : problems_of(route)) {
    const bool is_temporary = status == 429 || status == 503;
    responses[std::to_string(status)] = {
        {"$ref", is_temporary ? "#/components/responses/TryAgain" : "#/components/responses/Problem"}};
  }
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
  const json::object problem{{kProblemType, {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}};
  return {
      {"openapi", "3.1.0"},
      {"info", {{"title", "Dictum"}, {"version", DICTUM_VERSION}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", shared_schemas()},
        {"responses",
         {{"Problem", {{"description", "What went wrong (RFC 9457)"}, {"content", problem}}},
          {"TryAgain",
           {{"description", "What is not possible now (RFC 9457)"},
            {"headers",
             {{"Retry-After", {{"description", "Seconds"}, {"required", true}, {"schema", {{"type", "integer"}}}}}}},
            {"content", problem}}}}},
        {"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace dictum::server
