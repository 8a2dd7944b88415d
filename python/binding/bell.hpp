#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "base/unique_fd.hpp"

namespace dictum::python {

/// Tells Python that there is news: a descriptor that is readable from the first ring until it is silenced, or, for
/// event loops that can watch no descriptor, a function that is called.
///
/// Threads: `ring` from any, without the GIL. Owner: shared by Python and by whatever rings, so that nobody needs the
/// GIL to let go of one with a descriptor. What the function raises is printed and otherwise passed over.
class Bell : public std::enable_shared_from_this<Bell> {
 public:
  /// With a descriptor. Throws RecorderError where none is left.
  Bell();
  explicit Bell(nanobind::callable function);
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell();

  void ring() const noexcept;
  void silence() const noexcept;

  /// -1 where there is a function instead.
  int fileno() const noexcept { return fd_.get(); }

 private:
  UniqueFD fd_;
  nanobind::object function_;
};

}  // namespace dictum::python
