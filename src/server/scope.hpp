#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string_view>

namespace dictum::server {

/// What a token may do. `none` needs no token.
enum class Scope { none, listen, control, library, transcribe };

/// Those that a token may have.
inline constexpr std::array kScopes = {Scope::listen, Scope::control, Scope::library, Scope::transcribe};

constexpr std::string_view to_string(Scope scope) noexcept {
  constexpr std::array<std::string_view, 5> kNames = {"none", "listen", "control", "library", "transcribe"};
  return kNames.at(static_cast<std::size_t>(scope));
}

/// By its name; `none` has none.
constexpr std::optional<Scope> scope_named(std::string_view name) noexcept {
  for (const Scope scope : kScopes) {
    if (to_string(scope) == name) return scope;
  }
  return std::nullopt;
}

class Scopes {
 public:
  static Scopes all() {
    Scopes all;
    for (const Scope scope : kScopes) all = all.with(scope);
    return all;
  }

  Scopes with(Scope scope) const {
    Scopes more = *this;
    more.bits_.set(static_cast<std::size_t>(scope));
    return more;
  }
  bool has(Scope scope) const { return scope == Scope::none || bits_.test(static_cast<std::size_t>(scope)); }
  bool operator==(const Scopes&) const = default;

 private:
  std::bitset<5> bits_;
};

}  // namespace dictum::server
