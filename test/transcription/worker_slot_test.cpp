#include "transcription/worker_slot.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <set>
#include <sstream>

#include "dictum/error.hpp"
#include "transcription/worker_text.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using enum WorkerSlot::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* name_of(WorkerSlot::State state) {
  switch (state) {
    case dead:
      return "dead";
    case starting:
      return "starting";
    case handshake:
      return "handshake";
    case idle:
      return "idle";
    case busy:
      return "busy";
    case stopping:
      return "stopping";
    case backing_off:
      return "backing_off";
  }
  return "?";
}

constexpr WorkerSlot::State kStates[] = {dead, starting, handshake, idle, busy, stopping, backing_off};

/// Actions as words, so that a test can name what it expects.
struct Words {
  std::string operator()(const WorkerSlot::StartProcess&) const { return "start process"; }
  std::string operator()(const WorkerSlot::KillProcess&) const { return "kill process"; }
  std::string operator()(const WorkerSlot::Send& action) const {
    return "send " + std::string(type_name(action.message));
  }
  std::string operator()(const WorkerSlot::LimitFrames&) const { return "limit frames"; }
  std::string operator()(const WorkerSlot::StartTimer& action) const {
    return (action.timer == WorkerSlot::TimerId::ping ? "ping in " : "deadline in ") +
           std::to_string(action.delay.count());
  }
  std::string operator()(const WorkerSlot::CancelTimer& action) const {
    return action.timer == WorkerSlot::TimerId::ping ? "no ping" : "no deadline";
  }
  std::string operator()(const WorkerSlot::Report& action) const {
    const char* const names[] = {"starting", "ready", "busy", "stopped", "failed"};
    return std::string("report ") + names[static_cast<int>(action.state)];
  }
  std::string operator()(const WorkerSlot::PartialText& action) const { return "partial " + action.text; }
  std::string operator()(const WorkerSlot::Answered& action) const { return "answered " + action.result.text; }
  std::string operator()(const WorkerSlot::TaskFailed& action) const {
    return "task failed " + action.failure.code + (action.fresh ? " fresh" : "");
  }
  std::string operator()(const WorkerSlot::Ready&) const { return "ready"; }
  std::string operator()(const WorkerSlot::StartFailed& action) const { return "start failed " + action.failure.code; }
};

class WorkerSlotTest : public testing::Test {
 protected:
  using Input = std::function<void(WorkerSlot&, WorkerSlot::Actions&)>;

  /// A slot that has come to `state`, with its actions so far forgotten.
  WorkerSlot in(WorkerSlot::State state) {
    WorkerSlot slot(settings_);
    if (state == dead) return slot;
    WorkerSlot::Actions actions;
    slot.start(actions);
    if (state == starting) return slot;
    slot.process_started(actions);
    if (state == handshake) return slot;
    if (state == backing_off) {
      slot.process_ended(death(FailureCause::worker), actions);
      return slot;
    }
    slot.received(hello_, actions);
    if (state == idle) return slot;
    slot.run(task(), actions);
    if (state == busy) return slot;
    slot.cancel(actions);
    return slot;
  }

  std::vector<std::string> give(WorkerSlot& slot, const Input& input) {
    actions_.clear();
    input(slot, actions_);
    std::vector<std::string> words;
    for (const auto& action : actions_) words.push_back(std::visit(Words(), action));
    return words;
  }

  std::vector<std::string> receive(WorkerSlot& slot, const Message& message) {
    return give(slot, [&](WorkerSlot& to, WorkerSlot::Actions& actions) { to.received(message, actions); });
  }

  std::vector<std::string> fire(WorkerSlot& slot, WorkerSlot::TimerId timer) {
    return give(slot, [&](WorkerSlot& to, WorkerSlot::Actions& actions) { to.timer_fired(timer, actions); });
  }

  template <class Action>
  Action last() const {
    for (auto action = actions_.rbegin(); action != actions_.rend(); ++action) {
      if (const auto* found = std::get_if<Action>(&*action)) return *found;
    }
    ADD_FAILURE() << "no such action";
    return {};
  }

  static WorkerFailure death(FailureCause cause) {
    return {.cause = cause, .code = "worker_died", .message = "The worker was ended.", .died = true};
  }

  static WorkerSlot::Task task(bool interim = false) {
    return {.job = {.wav = "/s/seg_0000.wav", .interim = interim}, .deadline = 40s, .seconds = 1};
  }

  WorkerSlot::Settings settings_{.program = "/bin/dictum-worker-test",
                                 .language = "",
                                 .hello_timeout = 60s,
                                 .backoff = 100ms,
                                 .ping_interval = 2s,
                                 .lost_pings = 3,
                                 .unload_after = std::nullopt};
  Hello hello_{.engine = "test", .cancel_ms = 100};
  WorkerSlot::Actions actions_;
};

// Each input in each state: the state that follows. An input that does not fit changes nothing.

struct Row {
  const char* input;
  std::function<void(WorkerSlot&, WorkerSlot::Actions&)> give;
  std::map<WorkerSlot::State, WorkerSlot::State> follows;  // others stay
};

class EachInput : public WorkerSlotTest, public testing::WithParamInterface<Row> {};

TEST_P(EachInput, LeadsFromEachStateWhereTheTableSays) {
  for (const WorkerSlot::State state : kStates) {
    WorkerSlot slot = in(state);
    ASSERT_EQ(name_of(slot.state()), std::string(name_of(state)));
    const auto words = give(slot, GetParam().give);
    const auto next = GetParam().follows.find(state);
    const bool stays = next == GetParam().follows.end();
    EXPECT_STREQ(name_of(slot.state()), name_of(stays ? state : next->second)) << "from " << name_of(state);
    if (stays && GetParam().follows.size() < 7 && state != idle && state != busy && state != stopping) {
      EXPECT_THAT(words, IsEmpty()) << name_of(state);
    }
  }
}

using Actions = WorkerSlot::Actions;
WorkerFailure died() {
  return {.cause = FailureCause::worker, .code = "worker_died", .message = "It died.", .died = true};
}

INSTANTIATE_TEST_SUITE_P(
    Slot, EachInput,
    testing::Values(
        Row{"Start", [](WorkerSlot& slot, Actions& actions) { slot.start(actions); }, {{dead, starting}}},
        Row{"ProcessStarted",
            [](WorkerSlot& slot, Actions& actions) { slot.process_started(actions); },
            {{starting, handshake}}},
        Row{"ProcessNotStarted",
            [](WorkerSlot& slot, Actions& actions) { slot.process_not_started(died(), actions); },
            {{starting, backing_off}}},
        Row{"ProcessEnded",
            [](WorkerSlot& slot, Actions& actions) { slot.process_ended(died(), actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, backing_off}, {stopping, dead}}},
        Row{"HelloReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Hello{.engine = "x"}, actions); },
            {{handshake, idle}, {idle, dead}, {busy, backing_off}, {stopping, dead}}},
        Row{"ResultReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Result{.id = 1, .text = ""}, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, idle}, {stopping, idle}}},
        Row{"OtherResultReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Result{.id = 9, .text = ""}, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, backing_off}, {stopping, dead}}},
        Row{"JobErrorReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Error{.id = 1}, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, backing_off}, {stopping, idle}}},
        Row{"SettingsErrorReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Error{.id = 1, .code = "model_missing"}, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, idle}, {stopping, idle}}},
        Row{"FatalErrorReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Error{.fatal = true}, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, backing_off}, {stopping, dead}}},
        Row{"PartialReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Partial{.id = 1, .text = ""}, actions); },
            {{handshake, backing_off}, {idle, dead}}},
        Row{"ProgressReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Progress{.id = 1}, actions); },
            {{handshake, backing_off}, {idle, dead}}},
        Row{"UnaskedPongReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Pong{1}, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, backing_off}, {stopping, dead}}},
        Row{"RecorderMessageReceived",
            [](WorkerSlot& slot, Actions& actions) { slot.received(Shutdown{}, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, backing_off}, {stopping, dead}}},
        Row{"Run",
            [](WorkerSlot& slot, Actions& actions) { slot.run({.job = {}, .deadline = 1s, .seconds = 1}, actions); },
            {{idle, busy}}},
        Row{"Cancel", [](WorkerSlot& slot, Actions& actions) { slot.cancel(actions); }, {{busy, stopping}}},
        Row{"Deadline",
            [](WorkerSlot& slot, Actions& actions) { slot.timer_fired(WorkerSlot::TimerId::deadline, actions); },
            {{handshake, backing_off}, {idle, dead}, {busy, backing_off}, {stopping, dead}, {backing_off, dead}}},
        Row{"PingDue",
            [](WorkerSlot& slot, Actions& actions) { slot.timer_fired(WorkerSlot::TimerId::ping, actions); },
            {}},
        Row{"Stop",
            [](WorkerSlot& slot, Actions& actions) { slot.stop(actions); },
            {{starting, dead}, {handshake, dead}, {idle, dead}, {busy, dead}, {stopping, dead}, {backing_off, dead}}}),
    [](const auto& row) { return row.param.input; });

// What each transition asks for.

TEST_F(WorkerSlotTest, AsksForAProcessAndWaitsForItsHello) {
  WorkerSlot slot(settings_);
  EXPECT_THAT(give(slot, &WorkerSlot::start), ElementsAre("report starting", "start process"));
  EXPECT_THAT(give(slot, &WorkerSlot::process_started), ElementsAre("deadline in 60000"));
  EXPECT_THAT(receive(slot, hello_), ElementsAre("report ready", "no ping", "no deadline", "ready"));
  EXPECT_TRUE(slot.is_fresh());
  EXPECT_EQ(slot.hello(), hello_);
}

TEST_F(WorkerSlotTest, RunsATaskUnderADeadlineAndPings) {
  WorkerSlot slot = in(idle);
  EXPECT_THAT(give(slot, [](WorkerSlot& to, Actions& actions) { to.run(task(), actions); }),
              ElementsAre("limit frames", "send job", "deadline in 40000", "ping in 2000"));
  EXPECT_THAT(fire(slot, WorkerSlot::TimerId::ping), ElementsAre("send ping", "ping in 2000"));
  EXPECT_THAT(receive(slot, Pong{1}), IsEmpty());
  EXPECT_THAT(receive(slot, Partial{1, "and"}), ElementsAre("partial and"));
  EXPECT_THAT(receive(slot, Result{.id = 1, .text = "and so"}),
              ElementsAre("no ping", "no deadline", "answered and so"));
  EXPECT_FALSE(slot.is_fresh());
}

TEST_F(WorkerSlotTest, GivesNoIdTwice) {
  WorkerSlot slot = in(idle);
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 3; ++i) {
    give(slot, [](WorkerSlot& to, Actions& actions) { to.run(task(), actions); });
    const auto id = std::get<Job>(last<WorkerSlot::Send>().message).id;
    EXPECT_TRUE(ids.insert(id).second);
    receive(slot, Result{.id = id, .text = ""});
  }
}

TEST_F(WorkerSlotTest, LosesAWorkerThatLosesPings) {
  WorkerSlot slot = in(busy);
  EXPECT_THAT(fire(slot, WorkerSlot::TimerId::ping), ElementsAre("send ping", "ping in 2000"));
  EXPECT_THAT(fire(slot, WorkerSlot::TimerId::ping), ElementsAre("ping in 2000"));
  EXPECT_THAT(fire(slot, WorkerSlot::TimerId::ping), ElementsAre("ping in 2000"));
  EXPECT_THAT(fire(slot, WorkerSlot::TimerId::ping),
              ElementsAre("kill process", "no deadline", "no ping", "report failed", "deadline in 100",
                          "task failed deadline_exceeded fresh"));
}

TEST_F(WorkerSlotTest, KeepsAWorkerWhoseCancelledTaskIsAnsweredInTime) {
  WorkerSlot slot = in(busy);
  EXPECT_THAT(give(slot, &WorkerSlot::cancel), ElementsAre("send cancel", "deadline in 1100"));
  EXPECT_THAT(receive(slot, Result{.id = 1, .text = "unwanted"}), ElementsAre("no ping", "no deadline"));
  EXPECT_EQ(slot.state(), idle);
}

TEST_F(WorkerSlotTest, StopsAWorkerThatIgnoresACancel) {
  WorkerSlot slot = in(stopping);
  EXPECT_THAT(fire(slot, WorkerSlot::TimerId::deadline),
              ElementsAre("kill process", "no deadline", "no ping", "report failed"));
  EXPECT_EQ(last<WorkerSlot::Report>().reason, "The worker ignored a cancel request and was stopped.");
}

TEST_F(WorkerSlotTest, BoundsThePromiseOfACancel) {
  hello_.cancel_ms = 1'000'000'000;
  WorkerSlot slot = in(busy);
  EXPECT_THAT(give(slot, &WorkerSlot::cancel), ElementsAre("send cancel", "deadline in 11000"));
}

TEST_F(WorkerSlotTest, PausesLongerAfterEachFailureInARowAndNotForEver) {
  WorkerSlot slot(settings_);
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 8; ++i) {
    give(slot, &WorkerSlot::start);
    give(slot, [](WorkerSlot& to, Actions& actions) { to.process_not_started(died(), actions); });
    pauses.push_back(last<WorkerSlot::StartTimer>().delay.count());
    fire(slot, WorkerSlot::TimerId::deadline);
  }
  EXPECT_THAT(pauses, ElementsAre(100, 200, 400, 800, 1600, 3200, 5000, 5000));
}

TEST_F(WorkerSlotTest, ForgetsFailuresOnceATaskIsAnswered) {
  WorkerSlot slot = in(backing_off);
  fire(slot, WorkerSlot::TimerId::deadline);
  give(slot, &WorkerSlot::start);
  give(slot, &WorkerSlot::process_started);
  receive(slot, hello_);
  give(slot, [](WorkerSlot& to, Actions& actions) { to.run(task(), actions); });
  receive(slot, Result{.id = 1, .text = ""});
  give(slot, [](WorkerSlot& to, Actions& actions) { to.run(task(), actions); });
  give(slot, [](WorkerSlot& to, Actions& actions) { to.process_ended(died(), actions); });
  EXPECT_EQ(last<WorkerSlot::StartTimer>().delay, 100ms);
}

TEST_F(WorkerSlotTest, DoesNotPauseAfterInterimTextHasEndedTheWorker) {
  WorkerSlot slot = in(idle);
  give(slot, [](WorkerSlot& to, Actions& actions) { to.run(task(true), actions); });
  give(slot, [](WorkerSlot& to, Actions& actions) { to.process_ended(died(), actions); });
  EXPECT_EQ(slot.state(), dead);
}

TEST_F(WorkerSlotTest, UnloadsAWorkerThatIsIdleForSoLong) {
  settings_.unload_after = 300s;
  WorkerSlot slot = in(handshake);
  EXPECT_THAT(receive(slot, hello_), ElementsAre("report ready", "no ping", "deadline in 300000", "ready"));
  EXPECT_THAT(fire(slot, WorkerSlot::TimerId::deadline),
              ElementsAre("kill process", "no deadline", "no ping", "report stopped"));
}

TEST_F(WorkerSlotTest, BlamesNoJobForASecondAnswerToTheOneBefore) {
  WorkerSlot slot = in(busy);
  receive(slot, Result{.id = 1, .text = ""});
  give(slot, [](WorkerSlot& to, Actions& actions) { to.run(task(), actions); });
  receive(slot, Result{.id = 1, .text = ""});
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.cause, FailureCause::outside);
}

TEST_F(WorkerSlotTest, RefusesAFloodOfMessages) {
  WorkerSlot slot = in(busy);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(receive(slot, Progress{.id = 1}).size(), 0);
  receive(slot, Progress{.id = 1});
  EXPECT_THAT(last<WorkerSlot::TaskFailed>().failure.message, HasSubstr("flood"));
}

TEST_F(WorkerSlotTest, RefusesMoreTextThanAnybodyCanSay) {
  for (Result result : {Result{.id = 1, .text = std::string(15 << 20, 'x')},
                        Result{.id = 1, .text = "x", .words = std::vector<Word>(max_words(1) + 1)},
                        Result{.id = 1, .text = "x", .words = {Word{.text = std::string(1 << 20, 'x')}}},
                        Result{.id = 1, .text = "x", .phrases = std::vector<DetectedPhrase>(1000)}}) {
    WorkerSlot slot = in(busy);
    receive(slot, result);
    const WorkerFailure failure = last<WorkerSlot::TaskFailed>().failure;
    EXPECT_EQ(failure.code, "worker_protocol");
    EXPECT_THAT(failure.message, HasSubstr("for 1 s of audio"));
  }
  WorkerSlot slot = in(busy);
  receive(slot, Partial{1, std::string(1 << 20, 'x')});
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.code, "worker_protocol");

  slot = in(busy);
  receive(slot, Result{.id = 1, .text = "x", .words = std::vector<Word>(max_words(1))});
  EXPECT_EQ(last<WorkerSlot::Answered>().result.words.size(), max_words(1));
}

TEST_F(WorkerSlotTest, KeepsTextsComposed) {
  WorkerSlot slot = in(busy);
  receive(slot, Partial{1, "cafe\u0301"});
  EXPECT_EQ(last<WorkerSlot::PartialText>().text, "caf\u00e9");
  receive(slot, Result{.id = 1, .text = "cafe\u0301", .words = {Word{.text = "cafe\u0301"}}});
  EXPECT_EQ(last<WorkerSlot::Answered>().result.text, "caf\u00e9");
  EXPECT_EQ(last<WorkerSlot::Answered>().result.words[0].text, "caf\u00e9");
}

TEST_F(WorkerSlotTest, TakesAsMuchTextAsFastSpeechHasInAnyWriting) {
  for (const char* letter : {"x", "\u0436", "\u5929", "\u0e01", "\U00020000"}) {
    std::string text;
    for (int i = 0; i < 40 * 60; ++i) text += letter;  // 40 characters a second, for a minute
    WorkerSlot slot = in(idle);
    give(slot, [](WorkerSlot& to, Actions& actions) { to.run({.job = {}, .deadline = 1s, .seconds = 60}, actions); });
    receive(slot, Result{.id = 1, .text = text});
    EXPECT_EQ(last<WorkerSlot::Answered>().result.text.size(), text.size()) << letter;
  }
}

TEST_F(WorkerSlotTest, AllowsLongerFramesForLongerAudio) {
  WorkerSlot slot = in(idle);
  give(slot, [](WorkerSlot& to, Actions& actions) { to.run(task(), actions); });
  const std::size_t for_a_second = last<WorkerSlot::LimitFrames>().bytes;
  receive(slot, Result{.id = 1, .text = ""});
  give(slot, [](WorkerSlot& to, Actions& actions) { to.run({.job = {}, .deadline = 1s, .seconds = 7200}, actions); });
  EXPECT_LT(for_a_second, 1u << 20);
  EXPECT_GT(last<WorkerSlot::LimitFrames>().bytes, for_a_second);
  EXPECT_LE(last<WorkerSlot::LimitFrames>().bytes, kMaxFrameBytes);
}

TEST_F(WorkerSlotTest, MakesWhatAWorkerSaysFitForATerminal) {
  WorkerSlot slot = in(busy);
  receive(slot, Error{.id = 1, .message = "\x1b]0;owned\x07 \xe2\x80\xaetxt"});
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.message.find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.message.find("\xe2\x80\xae"), std::string::npos);
  hello_.engine = "evil\x1b[2J";
  slot = in(handshake);
  receive(slot, hello_);
  EXPECT_EQ(last<WorkerSlot::Report>().reason.find('\x1b'), std::string::npos);
}

// Settings that can never work.

TEST_F(WorkerSlotTest, RefusesALanguageThatTheModelDoesNotKnow) {
  struct Case {
    const char* wanted;
    std::vector<std::string> known;
    const char* instead;  // null: nothing is wrong
  };
  const std::vector<std::string> many{"en", "de", "fr", "zh"};
  for (const Case& c : {Case{"klingon", {"en"}, "\"en\""}, Case{"en_US", many, "\"en\""},
                        Case{"english", many, "\"en\""}, Case{"xr", many, "\"fr\""}, Case{"DE", many, nullptr},
                        Case{"en-GB", many, nullptr}, Case{"en", {"en-US"}, nullptr}, Case{"auto", many, nullptr},
                        Case{"", many, nullptr}, Case{"klingon", {}, nullptr}}) {
    settings_.language = c.wanted;
    hello_.languages = c.known;
    WorkerSlot slot = in(handshake);
    receive(slot, hello_);
    EXPECT_EQ(slot.state(), c.instead == nullptr ? idle : backing_off) << c.wanted;
    if (c.instead == nullptr) continue;
    const WorkerFailure failure = last<WorkerSlot::StartFailed>().failure;
    EXPECT_EQ(failure.cause, FailureCause::settings);
    EXPECT_THAT(failure.message, HasSubstr(c.wanted));
    EXPECT_THAT(failure.message, HasSubstr("Write " + std::string(c.instead))) << c.wanted;
  }
}

TEST_F(WorkerSlotTest, TellsSettingsThatCanNeverWorkFromFailures) {
  for (const auto& [code, cause] :
       {std::pair("model_missing", FailureCause::settings), std::pair("config_invalid", FailureCause::settings),
        std::pair("internal", FailureCause::worker)}) {
    WorkerSlot slot = in(handshake);
    receive(slot, Error{.code = code, .message = "no", .fatal = true});
    EXPECT_EQ(last<WorkerSlot::StartFailed>().failure.cause, cause) << code;
  }
  WorkerSlot slot = in(handshake);
  receive(slot, Hello{.protocol = 2, .engine = ""});
  EXPECT_EQ(last<WorkerSlot::StartFailed>().failure.cause, FailureCause::settings);
}

TEST_F(WorkerSlotTest, TakesAnExitForAMissingProgramAsSettingsBeforeTheHelloOnly) {
  for (const auto& [state, cause] :
       {std::pair(handshake, FailureCause::settings), std::pair(busy, FailureCause::worker)}) {
    WorkerSlot slot = in(state);
    give(slot, [](WorkerSlot& to, Actions& actions) { to.process_ended(death(FailureCause::settings), actions); });
    const auto& action = actions_.back();
    const auto* failed = std::get_if<WorkerSlot::TaskFailed>(&action);
    EXPECT_EQ(failed ? failed->failure.cause : last<WorkerSlot::StartFailed>().failure.cause, cause);
  }
}

class ARemoteWorker : public WorkerSlotTest {
 protected:
  ARemoteWorker() { hello_.abilities = {std::string(kRemote)}; }
};

TEST_F(ARemoteWorker, MayTakeAsLongAsItReportsProgress) {
  WorkerSlot slot = in(busy);
  for (int i = 0; i < 20'000; ++i) ASSERT_THAT(receive(slot, Progress{1, 0}), ElementsAre("deadline in 40000"));
  WorkerSlot cancelled = in(stopping);
  EXPECT_THAT(receive(cancelled, Progress{1, 0}), IsEmpty()) << "its time to stop is its own";
  hello_.abilities.clear();
  WorkerSlot local = in(busy);
  EXPECT_THAT(receive(local, Progress{1, 0}), IsEmpty());
}

TEST_F(ARemoteWorker, StaysAfterAnErrorAboutAJobWhichIsFinal) {
  WorkerSlot slot = in(busy);
  receive(slot, Error{.id = 1, .code = "quarantined", .message = "three machines tried it"});
  EXPECT_EQ(slot.state(), idle);
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.cause, FailureCause::job);
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.code, "quarantined");
}

TEST_F(ARemoteWorker, CostsItsJobNoAttemptWhereItEnds) {
  WorkerSlot slot = in(busy);
  receive(slot, Error{.code = "worker_died", .message = "the cluster is gone", .fatal = true});
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.cause, FailureCause::outside);
  WorkerSlot killed = in(busy);
  give(killed,
       [](WorkerSlot& to, WorkerSlot::Actions& actions) { to.process_ended(death(FailureCause::worker), actions); });
  EXPECT_EQ(last<WorkerSlot::TaskFailed>().failure.cause, FailureCause::outside);
}

}  // namespace
}  // namespace dictum::transcription
