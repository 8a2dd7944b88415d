#include "base/outcome.hpp"

#include <exception>

namespace dictum {

detail::Outcome outcome_of_current_exception() {
  try {
    throw;
  } catch (const std::system_error& error) {
    return {error.code(), error.what()};
  } catch (const std::exception& error) {
    return {make_error_code(Errc::internal), error.what()};
  } catch (...) {
    return {make_error_code(Errc::internal), "A part of the recorder threw something that is no std::exception."};
  }
}

EventError error_of_current_exception() {
  const detail::Outcome outcome = outcome_of_current_exception();
  const bool ours = outcome.code.category() == recorder_category();
  return {to_string(ours ? static_cast<Errc>(outcome.code.value()) : Errc::internal), outcome.sentence};
}

detail::Outcome outcome_of(const std::exception_ptr& thrown) {
  if (!thrown) return {};
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    return outcome_of_current_exception();
  }
}

}  // namespace dictum
