#pragma once

#include <chrono>
#include <memory>

#include "dictum/detail/engine.hpp"
#include "dictum/recorder_backend.hpp"

namespace dictum::detail {

/// Calls a plain callback with the events of one queue, on a thread of its own.
///
/// Threads: made and destroyed on any; its own is named `delivery`. Owner: the backend or a Subscription. A callback
/// that does not return is left behind, with the state that it needs.
class DeliveryThread {
 public:
  /// When its thread is made. Where there can be none, that is the error `internal`: of the constructor, or of the
  /// start.
  enum class Begins { at_once, with_the_first_session };

  DeliveryThread(Engine& engine, EventFilter filter, EventCallback callback, Begins begins);

  /// No call begins once this returns; a running one is waited for, up to two seconds, unless it is the one that
  /// destroys us.
  ~DeliveryThread();
  DeliveryThread(const DeliveryThread&) = delete;
  DeliveryThread& operator=(const DeliveryThread&) = delete;

  /// What the destructor does, by `deadline`.
  void end(std::chrono::steady_clock::time_point deadline) noexcept;

  /// Whether this is the thread that the callback runs on.
  bool is_current() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace dictum::detail
