#include "server/access.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/number.hpp"
#include "server/problem.hpp"
#include "server/websocket.hpp"

namespace dictum::server {
namespace {

constexpr std::size_t kMaxHost = 253;
constexpr std::uint64_t kMaxPort = 65535;

bool is_address(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

/// Whether an `Origin` is a page that this server itself has sent; it may be behind a proxy that speaks TLS.
bool is_same_origin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(origin.substr(0, scheme.size()), scheme)) {
      return equal_ignoring_case(origin.substr(scheme.size()), host);
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> host_of(std::string_view authority) {
  std::string_view host;
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (!port.empty()) {
    const auto number = port.starts_with(':') ? parse_number(port.substr(1)) : std::nullopt;
    if (!number || *number > kMaxPort) return std::nullopt;
  }
  if (host.empty() || host.size() > kMaxHost) return std::nullopt;
  std::string name;
  for (const char c : host) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    const bool is_known = is_upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                          c == '_' || (c == ':' && authority.starts_with('['));
    if (!is_known) return std::nullopt;
    name += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

AccessPolicy::AccessPolicy(TokenList tokens, std::vector<std::string> hosts)
    : tokens_(std::move(tokens)), hosts_(std::move(hosts)) {}

std::optional<Response> AccessPolicy::refusal(const Request& request, Scope scope) const {
  if (request.is_trusted) return std::nullopt;
  if (auto refused = refusal_of_site(request)) return refused;
  return refusal_of_token(request, scope);
}

std::optional<Response> AccessPolicy::refusal_of_site(const Request& request) const {
  const std::string* const host = request.header("Host");
  const auto name = host == nullptr ? std::nullopt : host_of(*host);
  if (request.count("Host") != 1 || !name) {
    return problem(400, "invalid_host", "The request has no valid header \"Host\": send exactly one.");
  }
  const bool is_mine = *name == "localhost" || is_address(*name) ||
                       std::ranges::any_of(hosts_, [&](const auto& each) { return equal_ignoring_case(each, *name); });
  if (!is_mine) {
    return problem(
        421, "foreign_host",
        fmt::format("This server does not answer to the name \"{}\": use its address in numbers, or start it "
                    "with `--host {}` if the name is yours.",
                    excerpt(*name), excerpt(*name)));
  }
  const std::string* const origin = request.header("Origin");
  if (origin != nullptr && (request.count("Origin") != 1 || !is_same_origin(*origin, *host))) {
    return problem(
        403, "foreign_origin",
        fmt::format("Pages of \"{}\" may not use this server: send the request from a program, or from a page "
                    "of the same origin.",
                    excerpt(*origin)));
  }
  const std::string* const site = request.header("Sec-Fetch-Site");
  if (site != nullptr && !equal_ignoring_case(*site, "same-origin") && !equal_ignoring_case(*site, "none")) {
    return problem(403, "foreign_origin",
                   "Pages of other sites may not use this server: send the request from a program.");
  }
  return std::nullopt;
}

std::optional<Response> AccessPolicy::refusal_of_token(const Request& request, Scope scope) const {
  if (scope == Scope::none || tokens_.is_empty()) return std::nullopt;
  constexpr std::string_view kScheme = "Bearer ";
  const std::string* const header = request.header("Authorization");
  std::string token = token_in_protocols(request);
  if (header != nullptr && equal_ignoring_case(std::string_view(*header).substr(0, kScheme.size()), kScheme)) {
    token = header->substr(kScheme.size());
  } else if (token.empty()) {
    return problem(
               401, "token_missing",
               "This server needs a token: send it as \"Authorization: Bearer TOKEN\"; whoever runs the server makes "
               "one with `dictum serve --new-token FILE`.")
        .with("WWW-Authenticate", "Bearer");
  }
  const auto scopes = tokens_.scopes_of(token);
  if (!scopes) {
    return problem(401, "token_unknown", "This server does not know the token: ask whoever runs it for a new one.")
        .with("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  }
  if (!scopes->has(scope)) {
    return problem(403, "scope_missing",
                   fmt::format("The token does not allow this: a token with the scope \"{}\" does.", to_string(scope)))
        .with("WWW-Authenticate", fmt::format("Bearer error=\"insufficient_scope\", scope=\"{}\"", to_string(scope)));
  }
  return std::nullopt;
}

}  // namespace dictum::server
