#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/request.hpp"
#include "server/response.hpp"
#include "server/scope.hpp"
#include "server/token_list.hpp"

namespace dictum::server {

/// The host in a header `Host`, in lower case and without its port or brackets; empty where the text is no host. Any
/// thread; no state.
std::optional<std::string> host_of(std::string_view authority);

/// Who may ask. Against pages of other sites in a browser on this machine: the host has to be an address of numbers,
/// `localhost` or one of `hosts`, since a name that somebody else owns may lead here (DNS rebinding); and a request
/// that a page of another site makes is refused, whatever it asks. Against everybody else: tokens.
///
/// Immutable; any thread.
class AccessPolicy {
 public:
  /// Without tokens every request that is not from another site is allowed.
  AccessPolicy(TokenList tokens, std::vector<std::string> hosts);

  /// The problem that answers a request for something of `scope`; empty where it is allowed.
  std::optional<Response> refusal(const Request& request, Scope scope) const;

 private:
  std::optional<Response> refusal_of_site(const Request& request) const;
  std::optional<Response> refusal_of_token(const Request& request, Scope scope) const;

  const TokenList tokens_;
  const std::vector<std::string> hosts_;
};

}  // namespace dictum::server
