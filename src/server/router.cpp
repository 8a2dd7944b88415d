#include "server/router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "journal/session_directory.hpp"
#include "server/event_feed.hpp"
#include "server/media_type.hpp"
#include "server/number.hpp"
#include "server/openapi.hpp"
#include "server/page.hpp"
#include "server/problem.hpp"
#include "server/target.hpp"
#include "server/websocket.hpp"

namespace dictum::server {
namespace {

/// What a value should have been; empty where it is right.
std::string wanted(const Parameter& parameter, const std::string& value) {
  switch (parameter.type) {
    case Parameter::Type::session:
      return journal::is_session_name(value) ? "" : "the name of a session, like 20261122_154501";
    case Parameter::Type::number: {
      const auto number = parse_number(value);
      const bool is_right = number && *number >= parameter.min && *number <= parameter.max;
      return is_right ? "" : fmt::format("a number from {} to {}", parameter.min, parameter.max);
    }
    case Parameter::Type::text:
      return value.size() <= parameter.max ? "" : fmt::format("at most {} bytes long", parameter.max);
    case Parameter::Type::time:
      return parse_iso_time(value) ? "" : "a time in UTC, like 2026-11-22T15:45:01Z";
    case Parameter::Type::choice:
      return std::ranges::find(parameter.choices, value) != parameter.choices.end()
                 ? ""
                 : fmt::format("one of {}", fmt::join(parameter.choices, ", "));
    case Parameter::Type::cursor:
      return parse_event_cursor(value) ? "" : "a sequence, -1, or the id of an event";
    case Parameter::Type::event_types:
      for (std::size_t at = 0; at <= value.size();) {
        const std::size_t end = std::min(value.find(',', at), value.size());
        const std::string_view name = std::string_view(value).substr(at, end - at);
        if (std::ranges::find(event_types(), name, &EventType::name) == event_types().end()) {
          return "names of events with commas between them, like SpeechDetected,SpeechEnded";
        }
        at = end + 1;
      }
      return "";
  }
  return "";
}

/// The parameters in a path that a pattern fits; empty where it does not.
std::optional<std::map<std::string, std::string, std::less<>>> match(std::string_view pattern,
                                                                     const std::vector<std::string>& path) {
  std::map<std::string, std::string, std::less<>> parameters;
  pattern.remove_prefix(1);
  for (const std::string& segment : path) {
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    const std::string_view part = pattern.substr(0, end);
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
    if (part.starts_with('{')) {
      parameters.emplace(part.substr(1, part.size() - 2), segment);
    } else if (part != segment) {
      return std::nullopt;
    }
  }
  if (!pattern.empty()) return std::nullopt;
  return parameters;
}

/// Throws RecorderError(invalid_argument) for a parameter that is wrong, unknown or missing.
void check_parameters(const Route& route, const Target& target, Call& call) {
  for (const auto& [name, value] : target.query) {
    const auto known = std::ranges::find_if(
        route.parameters, [&](const Parameter& each) { return each.in == Parameter::In::query && each.name == name; });
    if (known == route.parameters.end()) {
      throw RecorderError(Errc::invalid_argument,
                          fmt::format("There is no parameter \"{}\" here: leave it out.", excerpt(name)));
    }
    call.parameters.emplace(name, value);
  }
  for (const Parameter& each : route.parameters) {
    if (each.in == Parameter::In::header) continue;
    const std::string* const value = call.find(each.name);
    if (value == nullptr && each.is_required) {
      throw RecorderError(Errc::invalid_argument,
                          fmt::format("The parameter \"{}\" is missing: {}", each.name, each.about));
    }
    if (value == nullptr) continue;
    if (const std::string want = wanted(each, *value); !want.empty()) {
      throw RecorderError(Errc::invalid_argument,
                          fmt::format("\"{}\" is no {}: it has to be {}.", excerpt(*value), each.name, want));
    }
  }
}

std::optional<Response> refusal_of_body(const Route& route, const Request& request) {
  const std::string* const type = request.header("Content-Type");
  if (route.method != "POST" && !request.body.empty()) {
    return problem(400, "invalid_argument", fmt::format("{} takes no body: leave it out.", route.method));
  }
  if (route.takes_form) {
    if (type != nullptr && equal_ignoring_case(essence(*type), "multipart/form-data")) return std::nullopt;
    return problem(415, "unsupported_media_type",
                   "The body has to be a form with a file: send it with \"Content-Type: multipart/form-data\".");
  }
  if (type == nullptr || route.method != "POST" || equal_ignoring_case(essence(*type), "application/json")) {
    return std::nullopt;
  }
  return problem(
      415, "unsupported_media_type",
      fmt::format("A body of \"{}\" is not read: send JSON, with \"Content-Type: application/json\".", excerpt(*type)));
}

}  // namespace

std::uint64_t Call::number(std::string_view name, std::uint64_t otherwise) const {
  const std::string* const found = find(name);
  return found == nullptr ? otherwise : parse_number(*found).value_or(otherwise);
}

Router::Router(Library library, AccessPolicy access) : library_(std::move(library)), access_(std::move(access)) {
  routes_ = make_routes();
  std::ranges::move(make_machine_routes(), std::back_inserter(routes_));
  std::ranges::move(make_openai_routes(), std::back_inserter(routes_));
  routes_.push_back({.method = "GET",
                     .pattern = "/openapi.json",
                     .name = "openapi",
                     .scope = Scope::none,
                     .runs = Route::Runs::on_loop,
                     .summary = "This API as an OpenAPI 3.1 document",
                     .parameters = {},
                     .produces = {"application/json"},
                     .handler = [this](const Library&, const Call&) -> Answer {
                       return Response{.content_type = "application/json", .body = openapi_, .headers = {}};
                     }});
  openapi_ = json::to_line(openapi_document(routes_)) + "\n";
  std::ranges::move(make_page_routes(), std::back_inserter(routes_));  // for people, so not in the document
}

std::variant<Response, Router::Match> Router::route(const Request& request) const try {
  if (auto refused = access_.refusal(request, Scope::none)) return std::move(*refused);
  const Target target = parse_target(request.target);
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  std::string allowed;
  for (const Route& route : routes_) {
    auto parameters = match(route.pattern, target.path);
    if (!parameters) continue;
    if (route.method != method) {
      allowed += (allowed.empty() ? "" : ", ") + route.method + (route.method == "GET" ? ", HEAD" : "");
      continue;
    }
    if (auto refused = access_.refusal(request, route.scope)) return std::move(*refused);
    Match found{&route, {&request, std::move(*parameters)}};
    check_parameters(route, target, found.call);
    found.is_websocket = route.websocket != Route::WebSocket::never && is_websocket_upgrade(request);
    if (found.is_websocket) {
      if (auto refused = refusal_of_upgrade(request)) return std::move(*refused);
      return found;
    }
    if (route.websocket == Route::WebSocket::required) {
      return problem(426, "upgrade_required", "This is a WebSocket: connect to it as one.")
          .with("Upgrade", "websocket");
    }
    const std::string* const accept = request.header("Accept");
    const auto is_accepted = [&](const std::string& type) {
      return accept == nullptr || accepts(*accept, essence(type));
    };
    if (std::ranges::none_of(route.produces, is_accepted)) {
      return problem(406, "not_acceptable",
                     fmt::format("This is sent as {} and the request accepts none of it: change its header \"Accept\".",
                                 fmt::join(route.produces, ", ")));
    }
    if (auto refused = refusal_of_body(route, request)) return std::move(*refused);
    return found;
  }
  if (!allowed.empty()) {
    return problem(405, "method_not_allowed",
                   fmt::format("{} is not possible here: use {}.", excerpt(request.method), allowed))
        .with("Allow", allowed);
  }
  return problem(
      404, "not_found",
      fmt::format("There is nothing at \"{}\": /openapi.json lists what there is.", excerpt(request.target)));
} catch (const RecorderError&) {
  return problem_of_current_exception();
}

bool Router::takes_form(const Request& request) const try {
  const Target target = parse_target(request.target);
  return std::ranges::any_of(routes_, [&](const Route& each) {
    return each.takes_form && each.method == request.method && match(each.pattern, target.path);
  });
} catch (const RecorderError&) {  // `route` refuses it
  return false;
}

Answer Router::answer(const Match& match) const try {
  return match.route->handler(library_, match.call);
} catch (const std::exception&) {
  return problem_of_current_exception();
}

Response Router::status() const {
  return status_response(library_);
}

Answer Router::answer(const Request& request) const {
  auto routed = route(request);
  if (auto* const refused = std::get_if<Response>(&routed)) return std::move(*refused);
  return answer(std::get<Match>(routed));
}

}  // namespace dictum::server
