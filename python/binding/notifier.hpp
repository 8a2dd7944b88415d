#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "base/event_fd.hpp"

namespace dictum::python {

/// Notifies Python of news: a descriptor that is readable from the first `notify` until `clear`, or, for
/// event loops that can watch no descriptor, a function that is called.
///
/// Threads: `notify` from any, without the GIL. Owner: shared by Python and by whoever notifies, so that nobody needs
/// the GIL to let go of one with a descriptor. What the function raises is printed and otherwise passed over.
class Notifier : public std::enable_shared_from_this<Notifier> {
 public:
  /// With a descriptor. Throws RecorderError where none is left.
  Notifier();
  explicit Notifier(nanobind::callable function);
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier();

  void notify() const noexcept;
  void clear() const noexcept;

  /// -1 where there is a function instead.
  int fileno() const noexcept { return fd_.get(); }

 private:
  EventFD fd_;
  nanobind::object function_;
};

}  // namespace dictum::python
