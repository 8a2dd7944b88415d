#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::transcription {

/// What a worker called `name` gets of the host's environment: everything but what looks like somebody else's secret
/// (keys, tokens, passwords, sockets of agents and sessions, addresses with a password in them). Its own are those
/// whose names begin with its name in capitals, with or without DICTUM_ before it: OPENAI_API_KEY is for "openai"
/// alone. Proxies are for all.
std::vector<std::string> worker_environment(std::span<const std::string_view> host, std::string_view name);

}  // namespace dictum::transcription
