#include "transcription/worker_environment.hpp"

#include <algorithm>
#include <array>

namespace dictum::transcription {
namespace {

using namespace std::string_view_literals;

std::string in_capitals(std::string_view text) {
  std::string capitals(text);
  for (char& c : capitals) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '-') c = '_';
  }
  return capitals;
}

bool is_secret_name(const std::string& name) {
  constexpr std::array kWords{"KEY"sv,    "TOKEN"sv,   "SECRET"sv,    "PASS"sv,    "CREDENTIAL"sv, "AUTH"sv,
                              "COOKIE"sv, "PRIVATE"sv, "SIGNATURE"sv, "SESSION"sv, "AGENT"sv,      "PWD"sv};
  if (name == "PWD" || name == "OLDPWD") return false;
  return std::ranges::any_of(kWords, [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

/// scheme://user:password@host
bool holds_password(std::string_view value) {
  const auto scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = value.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  return authority.find('@') != std::string_view::npos;
}

/// `list` without the entries that depend on the current folder, an empty one included.
std::string absolute_entries(std::string_view list) {
  std::string kept;
  while (!list.empty()) {
    const std::string_view entry = list.substr(0, list.find(':'));
    if (entry.starts_with('/')) kept.append(kept.empty() ? "" : ":").append(entry);
    list.remove_prefix(std::min(entry.size() + 1, list.size()));
  }
  return kept;
}

}  // namespace

std::vector<std::string> worker_environment(std::span<const std::string_view> host, std::string_view name) {
  const std::string own = in_capitals(name) + "_";
  std::vector<std::string> kept;
  for (const std::string_view entry : host) {
    const std::string variable = in_capitals(entry.substr(0, entry.find('=')));
    const std::string_view value = entry.substr(std::min(variable.size() + 1, entry.size()));
    if (entry.starts_with("PATH=")) {
      if (const std::string path = absolute_entries(value); !path.empty()) kept.push_back("PATH=" + path);
      continue;
    }
    const bool is_own = variable.starts_with(own) || variable.starts_with("DICTUM_" + own);
    const bool is_proxy = variable.ends_with("_PROXY");
    if (is_own || is_proxy || (!is_secret_name(variable) && !holds_password(value))) kept.emplace_back(entry);
  }
  return kept;
}

}  // namespace dictum::transcription
