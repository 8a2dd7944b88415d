#include "notifier.hpp"

#include <utility>

#include "dictum/error.hpp"
#include "without_gil.hpp"

namespace dictum::python {

Notifier::Notifier() {
  if (!fd_)
    throw RecorderError(Errc::internal, "No file descriptor is left: close some, or raise the limit (ulimit -n).");
}

Notifier::Notifier(nanobind::callable function) : fd_(EventFD::kNone), function_(std::move(function)) {}

Notifier::~Notifier() {
  if (!function_) return;
  if (!nanobind::is_alive()) {
    function_.release();  // the function went with the interpreter
    return;
  }
  try {
    const nanobind::gil_scoped_acquire gil;
    function_.reset();
  } catch (...) {
    wait_for_the_process_to_end();
  }
}

void Notifier::notify() const noexcept {
  if (fd_) {
    fd_.notify();
    return;
  }
  if (!nanobind::is_alive()) return;
  try {
    const nanobind::gil_scoped_acquire gil;
    try {
      function_();
    } catch (nanobind::python_error& error) {
      error.discard_as_unraisable("dictum, waking an event loop");
    }
  } catch (...) {
    wait_for_the_process_to_end();
  }
}

void Notifier::clear() const noexcept {
  fd_.clear();
}

}  // namespace dictum::python
