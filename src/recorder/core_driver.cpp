#include "recorder/core_driver.hpp"

#include <utility>

#include "base/invariant.hpp"
#include "base/outcome.hpp"

namespace dictum::recorder {

void CoreDriver::give(Input input) {
  if (!core_) return;
  inputs_.push_back(std::move(input));
  if (handling_) return;
  struct Handling {
    bool& flag;
    explicit Handling(bool& set) : flag(set) { flag = true; }
    ~Handling() { flag = false; }
  };
  const Handling handling(handling_);
  while (!inputs_.empty()) {
    const auto next = std::move(inputs_.front());
    inputs_.pop_front();
    RecorderCore::Actions actions;
    std::optional<EventError> broken;
    try {
      next(*core_, actions);
    } catch (const BrokenInvariant&) {
      broken = error_of_current_exception();
    }
    callbacks_.carry_out(actions);
    if (broken) end_broken(*broken);
  }
}

void CoreDriver::report(const EventError& error) {
  give([error](RecorderCore& core, RecorderCore::Actions& actions) {
    core.fault(error.code, error.message, true, actions);
  });
}

void CoreDriver::report(const std::vector<EventError>& errors) {
  for (const EventError& error : errors) report(error);
}

void CoreDriver::end_broken(const EventError& error) {
  if (!core_ || std::exchange(is_broken_, true)) return;
  give([error](RecorderCore& core, RecorderCore::Actions& actions) {
    core.fault(error.code, error.message, false, actions);
  });
  callbacks_.stop();
}

}  // namespace dictum::recorder
