// The pool in virtual time, with workers that are values: what a test says is what they do.

#include <gmock/gmock.h>

#include <deque>

#include "support/given_job.hpp"
#include "support/virtual_time.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A worker of the test. Its process lives until the pool destroys it or the test lets it die.
struct FakeProcess {
  WorkerEvents events;
  std::vector<Message> received{};
  bool killed = false;

  std::vector<Job> jobs() const {
    std::vector<Job> found;
    for (const Message& message : received) {
      if (const auto* job = std::get_if<Job>(&message)) found.push_back(*job);
    }
    return found;
  }
  bool has_received(std::string_view type) const {
    return std::ranges::any_of(received, [&](const Message& message) { return type_name(message) == type; });
  }
};

class FakeWorker final : public Worker {
 public:
  explicit FakeWorker(FakeProcess& process) : process_(process) {}
  ~FakeWorker() override { process_.killed = true; }
  void send(const Message& message) override { process_.received.push_back(message); }
  void limit_frames(std::size_t /*bytes*/) override {}

 private:
  FakeProcess& process_;
};

class PoolInVirtualTime : public testing::Test, public JobSource {
 protected:
  // A session.
  std::optional<TranscriptionJob> job(std::uint32_t segment) override {
    asked_.push_back(segment);
    if (unwanted_ == segment) return std::nullopt;
    TranscriptionJob made;
    made.session = "s";
    made.segment_index = segment;
    made.wav_path = "/s/seg.wav";
    made.end_frame = 16'000;
    made.sample_rate = 16'000;
    made.audio_end_frame = audio_end_;
    return made;
  }
  void transcribed(std::uint32_t segment, TranscriptionOutcome outcome) override {
    EXPECT_TRUE(outcomes_.emplace(segment, std::move(outcome)).second) << "two outcomes";
  }
  void has_no_worker(const EventError& why) override { no_worker_.push_back(why); }
  std::shared_ptr<JobSource> source() { return {std::shared_ptr<void>(), this}; }

  WorkerPool& make_pool() {
    settings_.name = "fake";
    settings_.executable = "/bin/dictum-worker-fake";
    WorkerPoolEvents events;
    events.on_status = [this](const WorkerStatus& status) { statuses_.emplace_back(status.state, status.reason); };
    events.on_partial = [this](const std::string& session, std::uint32_t, const std::string& text, std::size_t stable) {
      partial_sessions_.push_back(session);
      partials_.push_back(text);
      stable_ = stable;
    };
    const std::shared_ptr<VirtualTime> time(std::shared_ptr<void>(), &time_);
    pool_ = std::make_unique<WorkerPool>(
        io_.get_executor(), settings_, time, std::move(events), time,
        [this](const boost::asio::any_io_executor&, const WorkerCommand&, WorkerEvents worker_events) {
          if (start_error_) throw WorkerStartError(*start_error_, "It cannot be started.");
          processes_.push_back({.events = std::move(worker_events)});
          return std::make_unique<FakeWorker>(processes_.back());
        });
    return *pool_;
  }

  void settle() { time_.advance(0s); }
  void say(std::size_t process, Message message) {
    processes_.at(process).events.on_message(std::move(message));
    settle();
  }
  void say_hello(std::size_t process) { say(process, hello_); }
  void answer(std::size_t process, const std::string& text) {
    say(process, Result{.id = processes_.at(process).jobs().back().id, .text = text});
  }
  void die(std::size_t process, FailureCause cause) {
    processes_.at(process).events.on_end(
        {.cause = cause, .code = "worker_died", .message = "It was ended.", .died = true});
    settle();
  }
  std::string error_of(std::uint32_t segment) {
    return outcomes_.contains(segment) && outcomes_[segment].error ? outcomes_[segment].error->code : "";
  }
  std::size_t started() const { return processes_.size(); }

  using VirtualTime = test::VirtualTime;
  boost::asio::io_context io_;
  VirtualTime time_{io_};
  WorkerPoolSettings settings_;
  Hello hello_{.engine = "fake", .cancel_ms = 100};
  std::deque<FakeProcess> processes_;
  std::optional<FailureCause> start_error_;
  std::optional<std::uint32_t> unwanted_;
  std::optional<Frame> audio_end_;
  std::vector<std::uint32_t> asked_;
  std::map<std::uint32_t, TranscriptionOutcome> outcomes_;
  std::vector<EventError> no_worker_;
  std::vector<std::pair<WorkerState, std::string>> statuses_;
  std::vector<std::string> partials_;
  std::vector<std::string> partial_sessions_;  // of each of them
  std::size_t stable_ = 0;                     // characters of the newest partial text
  std::unique_ptr<WorkerPool> pool_;
};

TEST_F(PoolInVirtualTime, AsksForAJobWhenItsTurnHasCome) {
  make_pool();
  for (std::uint32_t segment = 0; segment < 1000; ++segment) pool_->submit(source(), segment);
  settle();
  EXPECT_THAT(asked_, IsEmpty()) << "no worker is ready";
  say_hello(0);
  EXPECT_THAT(asked_, ElementsAre(0));
  answer(0, "zero");
  EXPECT_THAT(asked_, ElementsAre(0, 1));
  EXPECT_EQ(outcomes_[0].text, "zero");
}

TEST_F(PoolInVirtualTime, ForgetsASegmentThatIsNotWantedAnyMore) {
  unwanted_ = 0;
  make_pool().submit(source(), 0);
  pool_->submit(source(), 1);
  settle();
  say_hello(0);
  answer(0, "one");
  EXPECT_EQ(outcomes_.size(), 1);
  EXPECT_EQ(outcomes_[1].text, "one");
}

TEST_F(PoolInVirtualTime, LeavesAWorkerToLiveJobsWhereThereAreSeveral) {
  settings_.workers = 2;
  make_pool();
  for (std::uint32_t segment = 10; segment < 20; ++segment) pool_->submit(source(), segment, Priority::background);
  settle();
  for (std::size_t i = 0; i < started(); ++i) say_hello(i);
  EXPECT_THAT(asked_, ElementsAre(10));
  pool_->submit(source(), 0);
  settle();
  if (started() == 2) say_hello(1);
  EXPECT_THAT(asked_, ElementsAre(10, 0));
}

TEST_F(PoolInVirtualTime, FailsAnAttemptAfterItsDeadline) {
  settings_.attempts = 1;
  make_pool().submit(source(), 0);
  settle();
  say_hello(0);
  for (int i = 0; i < 19; ++i) {
    time_.advance(2s);
    say(0, Pong{static_cast<std::uint64_t>(i + 1)});
  }
  time_.advance(1s);
  EXPECT_THAT(outcomes_, IsEmpty());
  time_.advance(1s);  // 30 s and 10 s for a second of audio
  EXPECT_EQ(error_of(0), "deadline_exceeded");
  EXPECT_TRUE(processes_[0].killed);
  EXPECT_EQ(outcomes_[0].processing_time, 40s);
}

// Workers that cannot be started.

TEST_F(PoolInVirtualTime, KeepsJobsWhileWorkersAreKilledBeforeTheirHello) {
  make_pool();
  for (std::uint32_t segment = 0; segment < 50; ++segment) pool_->submit(source(), segment);
  settle();
  for (std::size_t start = 0; start < 20; ++start) {
    ASSERT_EQ(started(), start + 1);
    die(start, FailureCause::outside);
    time_.advance(5s);
  }
  EXPECT_THAT(outcomes_, IsEmpty());
  say_hello(20);
  for (int segment = 0; segment < 50; ++segment) answer(20, "text");
  EXPECT_EQ(outcomes_.size(), 50);
  EXPECT_EQ(error_of(49), "");
}

TEST_F(PoolInVirtualTime, KeepsTheJobsAndReportsThatNoWorkerCanBeStarted) {
  make_pool().submit(source(), 0);
  pool_->submit(source(), 1);
  settle();
  const auto begin = time_.steady_now();
  std::size_t start = 0;
  const auto fail_to_start = [&] {
    die(start++, FailureCause::worker);
    ASSERT_TRUE(time_.run_until([&] { return started() == start + 1; }));
  };
  while (no_worker_.empty()) {
    ASSERT_LT(start, 20U);
    fail_to_start();
  }
  EXPECT_GE(time_.steady_now() - begin, settings_.start_patience);
  EXPECT_LE(time_.steady_now() - begin, 30s);
  ASSERT_THAT(no_worker_, SizeIs(1)) << "a source has two jobs";
  EXPECT_EQ(no_worker_[0].code, "transcriber_missing");
  EXPECT_THAT(no_worker_[0].message, HasSubstr("times in a row"));
  fail_to_start();
  EXPECT_THAT(no_worker_, SizeIs(2));
  EXPECT_THAT(outcomes_, IsEmpty());
  say_hello(start);
  answer(start, "at last");
  EXPECT_EQ(outcomes_[0].text, "at last");
}

TEST_F(PoolInVirtualTime, WaitsForResourcesOfTheSystem) {
  start_error_ = FailureCause::outside;
  make_pool().submit(source(), 0);
  time_.advance(60s);
  EXPECT_THAT(outcomes_, IsEmpty());
  start_error_.reset();
  time_.advance(5s);
  ASSERT_EQ(started(), 1);
  say_hello(0);
  answer(0, "at last");
  EXPECT_EQ(outcomes_[0].text, "at last");
}

TEST_F(PoolInVirtualTime, FailsJobsAtOnceWhereTheSettingsCanNeverWorkAndTriesAgainLater) {
  start_error_ = FailureCause::settings;
  make_pool().submit(source(), 0);
  settle();
  EXPECT_EQ(error_of(0), "transcriber_missing");
  const std::size_t reports = statuses_.size();
  pool_->submit(source(), 1);
  settle();
  EXPECT_EQ(error_of(1), "transcriber_missing");
  EXPECT_EQ(statuses_.size(), reports) << "no second start";
  start_error_.reset();  // the model was installed
  time_.advance(30s);
  pool_->submit(source(), 2);
  settle();
  say_hello(0);
  answer(0, "text");
  EXPECT_EQ(outcomes_[2].text, "text");
}

TEST_F(PoolInVirtualTime, ReportsSettingsThatCanNeverWorkBeforeThereIsAJob) {
  settings_.language = "klingon";
  hello_.languages = {"en", "de"};
  std::optional<std::optional<EventError>> prepared;
  make_pool().prepare([&](std::optional<EventError> error) { prepared = std::move(error); });
  settle();
  say_hello(0);
  ASSERT_TRUE(prepared.has_value() && prepared->has_value());
  EXPECT_EQ((*prepared)->code, "invalid_argument");
  EXPECT_THAT((*prepared)->message, HasSubstr("klingon"));
  time_.advance(1h);
  EXPECT_EQ(started(), 1) << "never tried again by itself";
}

TEST_F(PoolInVirtualTime, HoldsNoStartUpForAFailureThatCanPass) {
  std::optional<std::optional<EventError>> prepared;
  make_pool().prepare([&](std::optional<EventError> error) { prepared = std::move(error); });
  settle();
  die(0, FailureCause::outside);
  ASSERT_TRUE(prepared.has_value());
  EXPECT_EQ(*prepared, std::nullopt);
}

TEST_F(PoolInVirtualTime, FailsAJobInAnotherLanguageWithoutAnAttempt) {
  hello_.languages = {"en"};
  make_pool().prepare([](const std::optional<EventError>&) {});
  settle();
  say_hello(0);
  TranscriptionJob strange = *job(7);
  strange.language = "tlh";
  test::transcribe(*pool_, strange, [this](TranscriptionOutcome outcome) { outcomes_[7] = std::move(outcome); });
  settle();
  EXPECT_EQ(error_of(7), "invalid_argument");
  EXPECT_THAT(processes_[0].jobs(), IsEmpty());
}

// Who is to blame.

TEST_F(PoolInVirtualTime, BlamesNoJobForAKillerThatTakesWorkersAtRandom) {
  settings_.workers = 2;
  make_pool();
  for (std::uint32_t segment = 0; segment < 20; ++segment) pool_->submit(source(), segment);
  settle();
  for (std::size_t kills = 0; kills < 40; ++kills) {
    for (std::size_t i = 0; i < started(); ++i) {
      if (!processes_[i].killed && processes_[i].received.empty()) say_hello(i);
    }
    std::vector<std::size_t> alive;
    for (std::size_t i = 0; i < started(); ++i) {
      if (!processes_[i].killed) alive.push_back(i);
    }
    if (!alive.empty()) die(alive[kills * 7 % alive.size()], FailureCause::outside);
    time_.advance(200ms);
  }
  for (const auto& [segment, outcome] : outcomes_) EXPECT_FALSE(outcome.error.has_value()) << segment;
  // The killer is gone: everything that waits is answered.
  for (int round = 0; round < 200 && outcomes_.size() < 20; ++round) {
    time_.advance(5s);
    for (std::size_t i = 0; i < started(); ++i) {
      if (processes_[i].killed) continue;
      if (processes_[i].received.empty()) say_hello(i);
      while (!processes_[i].killed && !processes_[i].jobs().empty() && outcomes_.size() < 20) {
        const std::size_t before = processes_[i].jobs().size();
        answer(i, "text");
        if (processes_[i].jobs().size() == before) break;
      }
    }
  }
  EXPECT_EQ(outcomes_.size(), 20);
}

TEST_F(PoolInVirtualTime, QuarantinesTheJobWhoseFreshWorkersAreKilledWhileOthersAreAnswered) {
  settings_.workers = 2;
  make_pool().submit(source(), 0);
  std::uint32_t next = 1;
  for (int round = 0; round < 40 && error_of(0).empty(); ++round) {
    pool_->submit(source(), next++);
    time_.advance(1s);
    for (std::size_t i = 0; i < started(); ++i) {
      if (!processes_[i].killed && processes_[i].received.empty()) say_hello(i);
      if (processes_[i].killed || processes_[i].jobs().empty()) continue;
      const Job running = processes_[i].jobs().back();
      if (running.segment_index == 0) {
        die(i, FailureCause::outside);
      } else if (!outcomes_.contains(running.segment_index)) {
        answer(i, "text");
      }
    }
  }
  EXPECT_EQ(error_of(0), "quarantined");
}

TEST_F(PoolInVirtualTime, GivesARetryToAFreshWorkerThoughAnotherIsIdle) {
  settings_.workers = 2;
  make_pool().submit(source(), 0);
  pool_->submit(source(), 1);
  settle();
  say_hello(0);
  say_hello(1);
  answer(1, "one");
  say(0, Error{.id = 1, .message = "no such voice"});
  EXPECT_EQ(processes_[1].jobs().size(), 1);
  time_.advance(10s);
  ASSERT_EQ(started(), 3);
  say_hello(2);
  ASSERT_EQ(processes_[2].jobs().size(), 1);
  EXPECT_EQ(processes_[2].jobs()[0].attempt, 2);
}

// Jobs before the end of their segment is certain.

class EarlyJobs : public PoolInVirtualTime {
 protected:
  /// A pool with an idle worker.
  void SetUp() override {
    make_pool().prepare([](const std::optional<EventError>&) {});
    settle();
    say_hello(0);
    audio_end_ = 12'000;
  }

  void answer_interim_and_early() {
    pool_->preview(*job(3));
    settle();
    answer(0, "one two");
    pool_->begin_early(source(), 3);
    settle();
    answer(0, "one two three");
  }
};

TEST_F(EarlyJobs, AreTheFinalTextWhereTheSegmentEnds) {
  pool_->begin_early(source(), 3);
  settle();
  ASSERT_EQ(processes_[0].jobs().size(), 1);
  EXPECT_EQ(processes_[0].jobs()[0].range, (FrameRange{0, 12'000}));
  EXPECT_FALSE(processes_[0].jobs()[0].interim);
  answer(0, "final");
  EXPECT_THAT(outcomes_, IsEmpty()) << "not certain yet";
  pool_->submit(source(), 3);
  settle();
  EXPECT_EQ(outcomes_[3].text, "final");
  EXPECT_EQ(processes_[0].jobs().size(), 1);
}

TEST_F(EarlyJobs, BecomeTheJobWhereTheyStillRun) {
  pool_->begin_early(source(), 3);
  settle();
  pool_->submit(source(), 3);
  settle();
  answer(0, "final");
  EXPECT_EQ(outcomes_[3].text, "final");
  EXPECT_EQ(processes_[0].jobs().size(), 1);
}

TEST_F(EarlyJobs, AreCancelledCheaplyWhereSpeechGoesOn) {
  pool_->begin_early(source(), 3);
  settle();
  pool_->cancel_early(3);
  settle();
  EXPECT_TRUE(processes_[0].has_received("cancel"));
  say(0, Error{.id = 1, .code = "cancelled", .message = "cancelled"});
  audio_end_ = 15'000;
  pool_->begin_early(source(), 3);
  settle();
  EXPECT_EQ(started(), 1) << "the worker stays warm";
  ASSERT_EQ(processes_[0].jobs().size(), 2);
  EXPECT_EQ(processes_[0].jobs()[1].range, (FrameRange{0, 15'000}));
}

TEST_F(EarlyJobs, HaveTheirAttemptsAfterTheyFailed) {
  pool_->begin_early(source(), 3);
  settle();
  die(0, FailureCause::worker);
  EXPECT_THAT(outcomes_, IsEmpty());
  pool_->submit(source(), 3);
  time_.advance(10s);
  say_hello(1);
  EXPECT_EQ(processes_[1].jobs().at(0).attempt, 1);
  answer(1, "final");
  EXPECT_EQ(outcomes_[3].text, "final");
}

TEST_F(EarlyJobs, YieldToAFinalText) {
  pool_->begin_early(source(), 3);
  settle();
  pool_->submit(source(), 2);
  settle();
  EXPECT_TRUE(processes_[0].has_received("cancel"));
  say(0, Result{.id = 1, .text = ""});
  EXPECT_EQ(processes_[0].jobs().back().segment_index, 2);
  answer(0, "two");
  EXPECT_EQ(processes_[0].jobs().back().segment_index, 3) << "and are taken up again";
  pool_->submit(source(), 3);
  settle();
  answer(0, "three");
  EXPECT_EQ(outcomes_[2].text, "two");
  EXPECT_EQ(outcomes_[3].text, "three");
}

TEST_F(EarlyJobs, TakeTheWorkerFromInterimText) {
  TranscriptionJob growing = *job(3);
  pool_->preview(growing);
  settle();
  ASSERT_TRUE(processes_[0].jobs().at(0).interim);
  pool_->begin_early(source(), 3);
  settle();
  EXPECT_TRUE(processes_[0].has_received("cancel"));
  say(0, Result{.id = 1, .text = "interim"});
  EXPECT_THAT(partials_, IsEmpty());
  EXPECT_FALSE(processes_[0].jobs().at(1).interim);
}

TEST_F(EarlyJobs, AreInterimTextUntilTheSegmentEnds) {
  answer_interim_and_early();
  EXPECT_THAT(partials_, ElementsAre("one two", "one two three"));
  EXPECT_EQ(stable_, std::string("one two").size());
  EXPECT_THAT(outcomes_, IsEmpty());
}

TEST_F(EarlyJobs, LeaveNothingToAskForInterimText) {
  answer_interim_and_early();
  time_.advance(2s);
  TranscriptionJob grown = *job(3);
  grown.end_frame += 16'000;
  pool_->preview(grown);
  settle();
  EXPECT_EQ(processes_[0].jobs().size(), 2);
  pool_->cancel_early(3);
  pool_->preview(grown);
  settle();
  EXPECT_EQ(processes_[0].jobs().size(), 3) << "speech goes on";
}

// Interim text, and a worker that is ready in time.

TEST_F(PoolInVirtualTime, StartsNoWorkerForInterimTextThatARemoteOneDoesNotGive) {
  settings_.workers = 2;
  hello_.abilities = {std::string(kRemote)};
  make_pool().submit(source(), 0);
  settle();
  say_hello(0);
  TranscriptionJob growing = *job(1);
  pool_->preview(growing);
  settle();
  EXPECT_EQ(started(), 1);
  EXPECT_EQ(processes_[0].jobs().size(), 1);
}

TEST_F(PoolInVirtualTime, NeverTakesBackStableTextInTheFinalJob) {
  make_pool().prepare([](const std::optional<EventError>&) {});
  settle();
  say_hello(0);
  TranscriptionJob growing = *job(0);
  for (int i = 0; i < 2; ++i) {
    growing.end_frame += 1'600;
    pool_->preview(growing);
    settle();
    answer(0, "ask not");
    time_.advance(2s);
  }
  EXPECT_EQ(stable_, 7);
  pool_->end_preview(0);
  pool_->submit(source(), 0);
  settle();
  say(0, Partial{.id = processes_[0].jobs().back().id, .text = "Ask, not what"});
  EXPECT_EQ(partials_.back(), "ask not what");
  EXPECT_EQ(stable_, 7);
}

TEST_F(PoolInVirtualTime, SaysOfWhichSessionAPartialTextIs) {
  make_pool().prepare([](const std::optional<EventError>&) {});
  settle();
  say_hello(0);
  TranscriptionJob older = *job(3);
  older.session = "the session before";
  test::transcribe(*pool_, older, [](const TranscriptionOutcome&) {});
  pool_->submit(source(), 3);
  settle();
  for (int i = 0; i < 2; ++i) {
    say(0, Partial{.id = processes_[0].jobs().back().id, .text = "so far"});
    answer(0, "the whole");
  }
  EXPECT_THAT(partial_sessions_, ElementsAre("the session before", "s"));
}

TEST_F(PoolInVirtualTime, StartsAWorkerWhileSomebodyStillSpeaks) {
  make_pool().warm_up();
  EXPECT_EQ(started(), 1);
  pool_->warm_up();
  EXPECT_EQ(started(), 1) << "it is on its way";
  say_hello(0);
  pool_->warm_up();
  EXPECT_EQ(started(), 1) << "it is ready";
}

TEST_F(PoolInVirtualTime, LoadsAModelAgainThatWasUnloaded) {
  settings_.workers = 2;
  settings_.unload_after = 5min;
  make_pool().warm_up();
  say_hello(0);
  time_.advance(5min);
  EXPECT_TRUE(processes_[0].killed);
  EXPECT_EQ(statuses_.back().second, "unloaded while idle");
  time_.advance(1h);
  EXPECT_EQ(started(), 1) << "nobody speaks";
  pool_->warm_up();
  EXPECT_EQ(started(), 2);
}

TEST_F(PoolInVirtualTime, StartsNoWorkerForSpeechWhereTheSettingsCanNeverWork) {
  start_error_ = FailureCause::settings;
  make_pool().warm_up();
  settle();
  start_error_.reset();
  pool_->warm_up();
  settle();
  EXPECT_EQ(started(), 0);
  time_.advance(1min);
  pool_->warm_up();
  settle();
  EXPECT_EQ(started(), 1);
}

}  // namespace
}  // namespace dictum::transcription
