#include "recorder/session_lifecycle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
using State = SessionState;
using Input = SessionInput;
using Action = SessionAction;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<State> states_from(State first, State last) {
  std::vector<State> states;
  for (int each = static_cast<int>(first); each <= static_cast<int>(last); ++each)
    states.push_back(static_cast<State>(each));
  return states;
}

std::vector<State> all_states() {
  return states_from(State::waiting, State::ended);
}

const std::vector<State> kCapturing = states_from(State::recording, State::resuming);

/// What an input does in some states. In all others it changes nothing.
struct Rule {
  Input input;
  std::vector<State> from;
  State to;
  std::vector<Action> actions{};
};

/// Every rule, for a session on which no stop has been called yet.
const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules{
      {Input::previous_closed, {State::waiting}, State::starting},
      {Input::opened, {State::starting}, State::recording},
      {Input::reopened, {State::starting}, State::draining, {Action::arm_drain}},
      {Input::open_failed, {State::starting, State::cancelling}, State::ended, {Action::clear_limit}},

      {Input::cancel, {State::waiting}, State::ended},
      {Input::cancel, {State::starting}, State::cancelling, {Action::arm_cancel_limit}},

      {Input::stop, {State::waiting}, State::ended},
      {Input::stop, {State::starting}, State::cancelling, {Action::arm_cancel_limit}},
      {Input::stop, kCapturing, State::stopping, {Action::close_capture, Action::arm_stop_limit}},
      {Input::stop, {State::stopping}, State::stopping, {Action::arm_stop_limit}},
      {Input::stop, {State::completing}, State::completing, {Action::arm_stop_limit}},
      {Input::stop, {State::draining}, State::draining, {Action::arm_drain}},
      {Input::stop, {State::revising}, State::revising, {Action::arm_stop_limit}},
      {Input::stop, {State::finishing}, State::finishing, {Action::arm_stop_limit}},

      {Input::stop_internal, kCapturing, State::stopping, {Action::close_capture, Action::arm_stop_limit}},

      {Input::shut_down, {State::waiting}, State::ended},
      {Input::shut_down, {State::starting}, State::cancelling, {Action::arm_cancel_limit}},
      {Input::shut_down,
       kCapturing,
       State::stopping,
       {Action::close_capture, Action::arm_stop_limit, Action::abandon_texts}},
      {Input::shut_down, {State::stopping}, State::stopping, {Action::arm_stop_limit, Action::abandon_texts}},
      {Input::shut_down, {State::completing}, State::completing, {Action::arm_stop_limit, Action::abandon_texts}},
      {Input::shut_down, {State::draining}, State::draining, {Action::arm_drain, Action::abandon_texts}},
      {Input::shut_down, {State::background}, State::background, {Action::abandon_texts}},
      {Input::shut_down, {State::revising}, State::revising, {Action::arm_stop_limit, Action::abandon_texts}},
      {Input::shut_down, {State::delivering}, State::delivering, {Action::abandon_texts}},
      {Input::shut_down, {State::finishing}, State::finishing, {Action::arm_stop_limit, Action::abandon_texts}},

      {Input::pause, {State::recording}, State::pausing, {Action::ask_pause}},
      {Input::resume, {State::paused}, State::resuming, {Action::ask_resume}},
      {Input::capture_paused, kCapturing, State::paused},
      {Input::capture_resumed, kCapturing, State::recording},
      {Input::pause_failed, {State::pausing}, State::recording},
      {Input::resume_failed, {State::resuming}, State::paused},

      {Input::capture_closed, kCapturing, State::completing},
      {Input::capture_closed, {State::stopping}, State::completing},
      {Input::files_complete, {State::completing}, State::draining, {Action::clear_limit, Action::arm_drain}},

      {Input::texts_requested, {State::revising}, State::draining, {Action::clear_limit, Action::arm_drain}},
      {Input::texts_complete, {State::draining, State::background}, State::revising},
      {Input::drain_expired, {State::draining}, State::background, {Action::report_pending}},
      {Input::notes_revised, {State::revising}, State::delivering, {Action::clear_limit}},
      {Input::journal_given_up, {State::delivering}, State::delivering},
      {Input::delivered, {State::delivering}, State::finishing},
      {Input::files_closed, {State::finishing}, State::ended, {Action::clear_limit}},

      {Input::limit_expired, {State::cancelling}, State::ended, {Action::abandon_parts}},
      {Input::limit_expired,
       {State::stopping, State::completing},
       State::draining,
       {Action::abandon_parts, Action::report_abandoned, Action::arm_drain}},
      {Input::limit_expired, {State::revising}, State::delivering, {Action::abandon_parts, Action::report_abandoned}},
      {Input::limit_expired, {State::finishing}, State::ended, {Action::abandon_parts, Action::report_abandoned}},

      {Input::broken,
       states_from(State::waiting, State::finishing),
       State::ended,
       {Action::clear_limit, Action::close_capture, Action::abandon_texts}},
  };
  return kRules;
}

const Rule* rule_for(Input input, State state) {
  for (const Rule& rule : rules()) {
    if (rule.input == input && std::ranges::count(rule.from, state) > 0) return &rule;
  }
  return nullptr;
}

class EveryInput : public testing::TestWithParam<Input> {};

TEST_P(EveryInput, DoesInEveryStateWhatItsRuleSaysAndElseNothing) {
  for (const State state : all_states()) {
    SCOPED_TRACE(to_string(state));
    SessionLifecycle session(state);
    const auto actions = session.apply(GetParam());
    const Rule* const rule = rule_for(GetParam(), state);
    EXPECT_EQ(session.state(), rule == nullptr ? state : rule->to);
    EXPECT_EQ(actions, rule == nullptr ? std::vector<Action>{} : rule->actions);
  }
}

std::vector<Input> all_inputs() {
  std::vector<Input> inputs;
  for (int each = 0; each <= static_cast<int>(Input::broken); ++each) inputs.push_back(static_cast<Input>(each));
  return inputs;
}

INSTANTIATE_TEST_SUITE_P(SessionLifecycle, EveryInput, testing::ValuesIn(all_inputs()),
                         [](const auto& info) { return std::to_string(static_cast<int>(info.param)); });

TEST(SessionLifecycle, EveryInputHasARule) {
  for (const Input input : all_inputs()) {
    EXPECT_TRUE(std::ranges::any_of(rules(), [input](const Rule& rule) { return rule.input == input; }));
  }
}

TEST(SessionLifecycle, ARecordingGoesThroughItsStatesInOrder) {
  SessionLifecycle session;
  std::vector<State> states;
  for (const Input input :
       {Input::previous_closed, Input::opened, Input::stop, Input::capture_closed, Input::files_complete,
        Input::texts_complete, Input::notes_revised, Input::delivered, Input::files_closed}) {
    session.apply(input);
    states.push_back(session.state());
  }
  EXPECT_THAT(states, ElementsAre(State::starting, State::recording, State::stopping, State::completing,
                                  State::draining, State::revising, State::delivering, State::finishing, State::ended));
}

// --- Stops -----------------------------------------------------------------------------------------------------------

TEST(SessionLifecycle, TheTimeLimitOfAStopHoldsUntilTheFilesAreComplete) {
  SessionLifecycle session(State::recording);
  session.apply(Input::stop);
  EXPECT_THAT(session.apply(Input::capture_closed), IsEmpty()) << "the limit was cleared too early";
  EXPECT_THAT(session.apply(Input::files_complete), testing::Contains(Action::clear_limit));
}

TEST(SessionLifecycle, ASecondStopShortensWhatHoldsUpTheFirst) {
  for (const Input progress : {Input::stop_internal, Input::capture_closed}) {
    SessionLifecycle session(State::recording);
    session.apply(progress);
    EXPECT_THAT(session.apply(Input::stop), ElementsAre(Action::arm_stop_limit));
    EXPECT_THAT(session.apply(Input::stop), ElementsAre(Action::shorten_limit));
  }
}

TEST(SessionLifecycle, AfterAStopTheStepsThatNeedTheDiskHaveATimeLimit) {
  SessionLifecycle session(State::recording);
  session.apply(Input::stop);
  session.apply(Input::capture_closed);
  session.apply(Input::files_complete);
  EXPECT_THAT(session.apply(Input::texts_complete), ElementsAre(Action::arm_stop_limit));
  session.apply(Input::notes_revised);
  EXPECT_THAT(session.apply(Input::delivered), ElementsAre(Action::arm_stop_limit));
}

TEST(SessionLifecycle, WhatWasAbandonedIsNotAskedToCloseItsFiles) {
  SessionLifecycle session(State::stopping);
  session.apply(Input::limit_expired);
  EXPECT_TRUE(session.is_abandoned());
  EXPECT_TRUE(session.is_closed());
  session.apply(Input::texts_complete);
  session.apply(Input::notes_revised);
  session.apply(Input::delivered);
  EXPECT_EQ(session.state(), State::ended);
}

TEST(SessionLifecycle, ADiskThatIsOnlyLateWithTheFilesIsNotAbandoned) {
  SessionLifecycle session(State::completing);
  session.apply(Input::limit_expired);
  EXPECT_TRUE(session.is_closed());
  EXPECT_FALSE(session.is_abandoned());
}

TEST(SessionLifecycle, ADiskThatDoesNotTakeTheLastEventsIsNotAskedToCloseItsFiles) {
  SessionLifecycle session(State::delivering);
  session.apply(Input::journal_given_up);
  session.apply(Input::delivered);
  EXPECT_EQ(session.state(), State::ended);
}

TEST(SessionLifecycle, TheEarliestLimitOfSeveralStopsHolds) {
  SessionLifecycle session(State::draining);
  EXPECT_EQ(session.drain_deadline(), std::nullopt);
  const SessionLifecycle::Time now{};
  session.limit_drain(now + 30s);
  session.limit_drain(now + 1s);
  session.limit_drain(now + 20s);
  EXPECT_EQ(session.drain_deadline(), now + 1s);
}

// --- What is asked of a state ----------------------------------------------------------------------------------------

std::vector<State> states_where(bool (SessionLifecycle::*holds)() const) {
  std::vector<State> found;
  for (const State state : all_states()) {
    const SessionLifecycle session(state);
    if ((session.*holds)()) found.push_back(state);
  }
  return found;
}

TEST(SessionLifecycle, IsClosedOnceItsFilesAreComplete) {
  EXPECT_EQ(states_where(&SessionLifecycle::is_closed), states_from(State::draining, State::ended));
}

TEST(SessionLifecycle, HasStartedOnceItIsDecidedHowTheStartEnds) {
  EXPECT_EQ(states_where(&SessionLifecycle::has_started), states_from(State::recording, State::ended));
}

TEST(SessionLifecycle, IsStoppedWhereNobodyWaitsForTextsAnyLonger) {
  EXPECT_THAT(states_where(&SessionLifecycle::is_stopped), ElementsAre(State::background, State::ended));
}

// --- Calls -----------------------------------------------------------------------------------------------------------

struct Expected {
  SessionCall call;
  std::vector<std::pair<std::vector<State>, CallDecision>> decisions;
};

TEST(SessionLifecycle, EveryCallHasItsDecisionInEveryState) {
  const std::vector<State> before = states_from(State::waiting, State::cancelling);
  const std::vector<State> after = states_from(State::stopping, State::ended);
  const std::vector<Expected> expected{
      {SessionCall::start,
       {{{State::waiting, State::starting}, CallDecision::join},
        {{State::cancelling}, CallDecision::ask_again},
        {{State::recording, State::pausing}, CallDecision::done},
        {{State::paused, State::resuming}, CallDecision::refuse},
        {after, CallDecision::next_session}}},
      {SessionCall::pause,
       {{before, CallDecision::refuse},
        {{State::recording}, CallDecision::accept},
        {{State::pausing}, CallDecision::join},
        {{State::paused}, CallDecision::done},
        {{State::resuming}, CallDecision::ask_again},
        {after, CallDecision::refuse}}},
      {SessionCall::resume,
       {{before, CallDecision::refuse},
        {{State::recording}, CallDecision::done},
        {{State::pausing}, CallDecision::ask_again},
        {{State::paused}, CallDecision::accept},
        {{State::resuming}, CallDecision::join},
        {after, CallDecision::refuse}}},
      {SessionCall::change,
       {{before, CallDecision::refuse}, {kCapturing, CallDecision::accept}, {after, CallDecision::refuse}}},
      {SessionCall::retry,
       {{before, CallDecision::ask_again},
        {states_from(State::recording, State::revising), CallDecision::accept},
        {{State::delivering, State::finishing}, CallDecision::ask_again},
        {{State::ended}, CallDecision::next_session}}},
  };
  for (const auto& [call, decisions] : expected) {
    std::size_t covered = 0;
    for (const auto& [states, decision] : decisions) {
      for (const State state : states) {
        SCOPED_TRACE(to_string(state));
        EXPECT_EQ(SessionLifecycle(state).decide(call), decision);
        ++covered;
      }
    }
    EXPECT_EQ(covered, all_states().size());
  }
}

}  // namespace
}  // namespace dictum::recorder
