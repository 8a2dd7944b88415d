#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "dictum/clock.hpp"
#include "recorder/recorder_core.hpp"

namespace dictum::recorder {

/// Gives a session's core its inputs, one at a time and in their order, and passes on what it asks for. An input that
/// arrives while another is handled waits.
///
/// Threads: lives on the `loop` strand. Owner: the session. Before `begin` every input is ignored.
class CoreDriver {
 public:
  /// Owns what it needs, since it may wait.
  using Input = std::function<void(RecorderCore&, RecorderCore::Actions&)>;

  struct Callbacks {
    std::function<void(RecorderCore::Actions&)> carry_out;  ///< after each input
    std::function<void()> stop;                             ///< the session cannot be trusted any further; called once
  };

  explicit CoreDriver(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  /// `clock` outlives this.
  void begin(RecorderCore::Settings settings, const Clock& clock) { core_.emplace(std::move(settings), clock); }
  bool has_begun() const { return core_.has_value(); }

  RecorderCore* operator->() { return &*core_; }
  const RecorderCore* operator->() const { return &*core_; }

  void give(Input input);

  /// Something went wrong: recoverable faults.
  void report(const EventError& error);
  void report(const std::vector<EventError>& errors);

  /// An invariant is broken: reports it, once, and stops the recording.
  void end_broken(const EventError& error);

 private:
  std::optional<RecorderCore> core_;
  const Callbacks callbacks_;
  std::deque<Input> inputs_;
  bool handling_ = false;
  bool is_broken_ = false;
};

}  // namespace dictum::recorder
