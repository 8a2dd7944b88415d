#pragma once

#include <utility>

#include "dictum/detail/engine.hpp"

namespace dictum::recorder {

/// The end of a call: given exactly once, also where what should have given it is destroyed first, so that no caller
/// waits for ever. Movable; one thread at a time.
class Reply {
 public:
  explicit Reply(detail::Completion done) : done_(std::move(done)) {}
  Reply(Reply&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (!done_) return;
    try {
      give({make_error_code(Errc::cancelled), "The recorder was destroyed before this call had ended."});
    } catch (...) {  // there is no memory left even for that
    }
  }

  void give(detail::Outcome outcome) {
    if (auto done = std::exchange(done_, nullptr)) done(std::move(outcome));
  }

 private:
  detail::Completion done_;  // empty once given
};

}  // namespace dictum::recorder
