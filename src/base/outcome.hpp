#pragma once

#include <exception>

#include "dictum/detail/engine.hpp"

namespace dictum {

/// What is being thrown, as the end of a call. Parts may be the user's own, so it may be anything. Never throws but for
/// memory; to be called from inside a catch block.
detail::Outcome outcome_of_current_exception();

/// The same as it stands in an event.
EventError error_of_current_exception();

/// The end of a call that threw this; success where it is null.
detail::Outcome outcome_of(const std::exception_ptr& thrown);

}  // namespace dictum
