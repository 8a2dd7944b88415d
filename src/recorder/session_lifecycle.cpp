#include "recorder/session_lifecycle.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace dictum::recorder {

using State = SessionState;
using Input = SessionInput;
using Action = SessionAction;

SessionLifecycle::Actions SessionLifecycle::apply(Input input) {
  switch (input) {
    case Input::cancel:
      if (state_ == State::waiting) return enter(State::ended);
      return state_ == State::starting ? enter(State::cancelling, {Action::arm_cancel_limit}) : Actions{};
    case Input::stop:
      ++stop_requests_;
      if (can_cancel_start()) return apply(Input::cancel);
      return captures() ? request_stop() : limit_ending();
    case Input::stop_internal:
      return captures() ? request_stop() : Actions{};
    case Input::shut_down:
      return shut_down();
    case Input::pause:
      return state_ == State::recording ? enter(State::pausing, {Action::ask_pause}) : Actions{};
    case Input::resume:
      return state_ == State::paused ? enter(State::resuming, {Action::ask_resume}) : Actions{};
    case Input::limit_expired:
      return abandon();
    case Input::broken:
      if (state_ == State::ended) return {};
      abandoned_ = true;
      return enter(State::ended, {Action::clear_limit, Action::close_capture, Action::abandon_texts});
    default:
      return follow(input);  // in which the compiler names an input that is in neither
  }
}

SessionLifecycle::Actions SessionLifecycle::shut_down() {
  if (!has_started()) return apply(Input::cancel);
  if (state_ == State::ended) return {};
  ++stop_requests_;
  Actions actions = captures() ? request_stop() : limit_ending();
  actions.push_back(Action::abandon_texts);
  return actions;
}

/// What the parts of the session report: a step has ended, and the next one begins.
SessionLifecycle::Actions SessionLifecycle::follow(Input input) {
  switch (input) {
    case Input::previous_closed:
      return state_ == State::waiting ? enter(State::starting) : Actions{};
    case Input::opened:
      return state_ == State::starting ? enter(State::recording) : Actions{};
    case Input::reopened:
      return state_ == State::starting ? drain({}) : Actions{};
    case Input::open_failed:
      return is_opening() ? enter(State::ended, {Action::clear_limit}) : Actions{};
    case Input::capture_paused:
      return captures() ? enter(State::paused) : Actions{};
    case Input::capture_resumed:
      return captures() ? enter(State::recording) : Actions{};
    case Input::pause_failed:
      return state_ == State::pausing ? enter(State::recording) : Actions{};
    case Input::resume_failed:
      return state_ == State::resuming ? enter(State::paused) : Actions{};
    case Input::capture_closed:
      return captures() || state_ == State::stopping ? enter(State::completing) : Actions{};
    case Input::files_complete:
      return state_ == State::completing ? drain({Action::clear_limit}) : Actions{};
    case Input::texts_requested:
      return state_ == State::revising ? drain({Action::clear_limit}) : Actions{};
    case Input::texts_complete:
      return state_ == State::draining || state_ == State::background ? enter(State::revising, limit_if_stopped())
                                                                      : Actions{};
    case Input::drain_expired:
      return state_ == State::draining ? enter(State::background, {Action::report_pending}) : Actions{};
    case Input::notes_revised:
      return state_ == State::revising ? enter(State::delivering, {Action::clear_limit}) : Actions{};
    case Input::journal_given_up:
      abandoned_ = abandoned_ || state_ == State::delivering;
      return {};
    case Input::delivered:
      if (state_ != State::delivering) return {};
      return abandoned_ ? enter(State::ended) : enter(State::finishing, limit_if_stopped());
    case Input::files_closed:
      return state_ == State::finishing ? enter(State::ended, {Action::clear_limit}) : Actions{};
    case Input::cancel:
    case Input::stop:
    case Input::stop_internal:
    case Input::shut_down:
    case Input::pause:
    case Input::resume:
    case Input::limit_expired:
    case Input::broken:
      break;  // no reports: apply() has them
  }
  return {};
}

/// A step of the end has a time limit where a call waits for it.
SessionLifecycle::Actions SessionLifecycle::limit_if_stopped() const {
  return stop_requests_ > 0 ? Actions{Action::arm_stop_limit} : Actions{};
}

SessionLifecycle::Actions SessionLifecycle::enter(State state, Actions actions) {
  state_ = state;
  return actions;
}

SessionLifecycle::Actions SessionLifecycle::request_stop() {
  return enter(State::stopping, {Action::close_capture, Action::arm_stop_limit});
}

/// A stop that finds the end under way: the first one sets a time limit, a further one shortens it.
SessionLifecycle::Actions SessionLifecycle::limit_ending() {
  switch (state_) {
    case State::stopping:
    case State::completing:
    case State::revising:
    case State::finishing:
      return {stop_requests_ > 1 ? Action::shorten_limit : Action::arm_stop_limit};
    case State::draining:
      return {Action::arm_drain};
    default:
      return {};
  }
}

SessionLifecycle::Actions SessionLifecycle::drain(Actions actions) {
  actions.push_back(Action::arm_drain);
  return enter(State::draining, std::move(actions));
}

SessionLifecycle::Actions SessionLifecycle::abandon() {
  const Actions left_behind{Action::abandon_parts, Action::report_abandoned};
  switch (state_) {
    case State::cancelling:
      abandoned_ = true;
      return enter(State::ended, {Action::abandon_parts});
    case State::stopping:
      abandoned_ = true;
      return drain(left_behind);
    case State::completing:
      return drain(left_behind);
    case State::revising:
      return enter(State::delivering, left_behind);
    case State::finishing:
      abandoned_ = true;
      return enter(State::ended, left_behind);
    default:
      return {};
  }
}

void SessionLifecycle::limit_drain(Time deadline) {
  drain_deadline_ = std::min(deadline, drain_deadline_.value_or(deadline));
}

CallDecision SessionLifecycle::decide(SessionCall call) const {
  switch (call) {
    case SessionCall::start:
      if (can_cancel_start()) return CallDecision::join;
      if (state_ == State::cancelling) return CallDecision::ask_again;
      if (state_ == State::recording || state_ == State::pausing) return CallDecision::done;
      return captures() ? CallDecision::refuse : CallDecision::next_session;
    case SessionCall::pause:
      if (state_ == State::recording) return CallDecision::accept;
      if (state_ == State::pausing) return CallDecision::join;
      if (state_ == State::paused) return CallDecision::done;
      return state_ == State::resuming ? CallDecision::ask_again : CallDecision::refuse;
    case SessionCall::resume:
      if (state_ == State::paused) return CallDecision::accept;
      if (state_ == State::resuming) return CallDecision::join;
      if (state_ == State::recording) return CallDecision::done;
      return state_ == State::pausing ? CallDecision::ask_again : CallDecision::refuse;
    case SessionCall::change:
      return captures() ? CallDecision::accept : CallDecision::refuse;
    case SessionCall::retry:
      if (has_started() && !is_complete()) return CallDecision::accept;
      return state_ == State::ended ? CallDecision::next_session : CallDecision::ask_again;
  }
  return CallDecision::refuse;
}

std::string_view to_string(State state) noexcept {
  constexpr std::array<std::string_view, 15> kNames{"waiting",    "starting", "cancelling", "recording",  "pausing",
                                                    "paused",     "resuming", "stopping",   "completing", "draining",
                                                    "background", "revising", "delivering", "finishing",  "ended"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace dictum::recorder
