#pragma once

#include <exception>
#include <source_location>

#include "dictum/error.hpp"

namespace dictum {

/// A rule that only our own code can break. Whoever carries a session out ends it then, with its audio safe.
class BrokenInvariant : public RecorderError {
 public:
  BrokenInvariant(const char* rule, const std::source_location& where);
};

/// Checked in release too. `rule` says what holds: it is what people read where it does not. Throws BrokenInvariant.
inline void invariant(bool holds, const char* rule, std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    throw BrokenInvariant(rule, where);
}

bool is_broken_invariant(const std::exception_ptr& thrown) noexcept;

}  // namespace dictum
