#include "transcription/worker_pool.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "pool_fixture.hpp"
#include "support/given_job.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class WorkerPoolTest : public PoolFixture {};

TEST_F(WorkerPoolTest, AnswersEveryJobWithItsOwnText) {
  settings.workers = 4;
  make_pool();
  for (std::uint32_t segment = 0; segment < 50; ++segment) transcribe(segment);
  ASSERT_TRUE(run_until_done(50));
  for (const auto& [segment, outcome] : done) EXPECT_EQ(outcome.text, "segment " + std::to_string(segment));
  EXPECT_EQ(doubled, 0);
}

TEST_F(WorkerPoolTest, StartsNoProcessBeforeThereIsAJob) {
  make_pool();
  EXPECT_EQ(io.run_for(50ms), 0);
  EXPECT_EQ(processes().size(), 0);
}

TEST_F(WorkerPoolTest, LoadsTheModelOnceAWorkerAndNotOnceASegment) {
  make_pool();
  for (std::uint32_t segment = 0; segment < 20; ++segment) transcribe(segment);
  ASSERT_TRUE(run_until_done(20));
  EXPECT_EQ(logged("hello"), 1);
  EXPECT_EQ(logged("job"), 20);
}

TEST_F(WorkerPoolTest, SendsJobsInTheirOrder) {
  make_pool();
  for (std::uint32_t segment = 0; segment < 20; ++segment) transcribe(segment);
  ASSERT_TRUE(run_until_done(20));
  const auto lines = log();
  for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(lines.at(i + 1).starts_with("job " + std::to_string(i) + " "));
}

TEST_F(WorkerPoolTest, StartsNoMoreWorkersThanThereIsWorkFor) {
  settings.workers = 4;
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_EQ(logged("hello"), 1);
}

TEST_F(WorkerPoolTest, PreparesAWorkerForTheFirstJob) {
  settings.workers = 3;
  std::optional<std::optional<EventError>> prepared;
  make_pool().prepare([&](std::optional<EventError> error) { prepared = std::move(error); });
  ASSERT_TRUE(run_until([&] { return prepared.has_value(); }));
  EXPECT_EQ(*prepared, std::nullopt);
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_EQ(logged("hello"), 1);
}

TEST_F(WorkerPoolTest, PutsWordsOnTheClockOfTheSession) {
  script(R"({"texts":["","ask not what"],"words":true})");
  make_pool();
  transcribe(1);  // from frame 160,000, one second long: the third word would lie behind its end
  ASSERT_TRUE(run_until_done(1));
  EXPECT_THAT(done[1].words, testing::ElementsAre(Word{"ask", 160'000, 168'000, 1}, Word{"not", 168'000, 176'000, 1},
                                                  Word{"what", 176'000, 176'000, 1}));
}

TEST_F(WorkerPoolTest, DoesNothingWhileNobodyHasAJob) {
  settings.ping_interval = 1ms;
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_LE(io.run_for(100ms), 5) << "the last answers may come; a hundred would be pinging";
}

TEST_F(WorkerPoolTest, PingsWhileAJobRuns) {
  settings.ping_interval = 5ms;
  script(R"({"latency_ms":100})");
  make_pool();
  transcribe(0);
  EXPECT_TRUE(run_until_done(1));
  EXPECT_EQ(done[0].error, std::nullopt);
}

TEST_F(WorkerPoolTest, UnloadsAnIdleWorkerWhereAskedTo) {
  settings.unload_after = 20ms;
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until([&] { return !statuses.empty() && statuses.back().state == WorkerState::stopped; }));
  transcribe(1);
  ASSERT_TRUE(run_until_done(2));
  EXPECT_EQ(logged("hello"), 2);
}

TEST_F(WorkerPoolTest, LowersThePriorityOfWorkersWhereAskedTo) {
  const int ours = ::getpriority(PRIO_PROCESS, 0);
  if (ours == 19) GTEST_SKIP() << "there is nothing lower";
  settings.environment["DICTUM_WORKER_NICE"] = std::to_string(ours + 1);
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  ASSERT_FALSE(processes().empty());
  for (const pid_t process : processes()) EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(process)), ours + 1);
}

TEST_F(WorkerPoolTest, ServesTheJobsOfSeveralSessions) {
  make_pool();
  std::vector<std::string> answered;
  for (const char* session : {"a", "b"}) {
    TranscriptionJob both = job(0);
    both.session = session;
    test::transcribe(*pool, both, [&, session](const TranscriptionOutcome&) { answered.emplace_back(session); });
  }
  ASSERT_TRUE(run_until([&] { return answered.size() == 2; }));
  EXPECT_THAT(answered, testing::ElementsAre("a", "b"));
}

TEST_F(WorkerPoolTest, RefusesAPathThatJSONCannotHold) {
  make_pool();
  TranscriptionJob strange = job(0);
  strange.wav_path = folder / "\xff.wav";
  std::string code;
  test::transcribe(*pool, strange, [&](const TranscriptionOutcome& outcome) { code = outcome.error.value().code; });
  ASSERT_TRUE(run_until([&] { return !code.empty(); }));
  EXPECT_EQ(code, "invalid_argument");
}

// Misbehaviour of every kind: three attempts, each on a fresh worker, then a failure that says why; the others go on.

struct FailureCase {
  const char* behaviour;
  const char* code;
  const char* sentence;
};

class Misbehaviour : public PoolFixture, public testing::WithParamInterface<FailureCase> {};

TEST_P(Misbehaviour, EndsTheAttemptAndNotTheOthers) {
  const FailureCase failure = GetParam();
  const std::string behaviour = failure.behaviour;
  if (kSanitized && behaviour == "grow") GTEST_SKIP() << "a sanitizer cannot live with a memory cap";
  settings.deadline_base = behaviour == "hang" ? 300ms : 60s;
  settings.ping_interval = behaviour == "freeze" ? 20ms : 1h;
  settings.memory_cap = behaviour == "grow" ? 100 << 20 : 0;
  script(R"({"segments":{"1":[{"do":")" + behaviour + R"(","message":"no such voice"}]}})");
  make_pool();
  for (std::uint32_t segment = 0; segment < 3; ++segment) transcribe(segment);
  ASSERT_TRUE(run_until_done(3));
  EXPECT_EQ(done[0].text, "segment 0");
  EXPECT_EQ(done[2].text, "segment 2");
  ASSERT_TRUE(done[1].error.has_value());
  EXPECT_EQ(done[1].error->code, failure.code);
  EXPECT_THAT(done[1].error->message, HasSubstr(failure.sentence));
  EXPECT_THAT(done[1].error->message, HasSubstr("3 attempts"));
  EXPECT_EQ(logged("job 1"), 3);
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, Misbehaviour,
                         testing::Values(FailureCase{"error", "transcription_failed", "no such voice"},
                                         FailureCase{"crash", "quarantined", kSanitized ? "" : "SIGSEGV"},
                                         FailureCase{"leave", "quarantined", "exit code 0"},
                                         FailureCase{"hang", "deadline_exceeded", "within 0.3 s"},
                                         FailureCase{"freeze", "deadline_exceeded", "does not react"},
                                         FailureCase{"flood", "worker_protocol", "flood"},
                                         FailureCase{"garbage", "worker_protocol", "too long"},
                                         FailureCase{"giant", "worker_protocol", "too long"},
                                         FailureCase{"grow", "transcription_failed", "out of memory"}),
                         [](const auto& failure) { return std::string(failure.param.behaviour); });

TEST_F(WorkerPoolTest, RetriesOnAFreshWorker) {
  script(R"({"segments":{"0":[{"do":"error"},{"do":"crash"},{"text":"at last"}]}})");
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_EQ(done[0].text, "at last");
  EXPECT_EQ(logged("hello"), 3);
}

TEST_F(WorkerPoolTest, TakesTheFirstOfTwoAnswersAndReplacesTheWorker) {
  script(R"({"segments":{"0":[{"do":"twice"}],"1":[{"latency_ms":100}]}})");
  settings.attempts = 1;  // the second answer is no failed attempt of the job that runs by then
  make_pool();
  transcribe(0);
  transcribe(1);
  ASSERT_TRUE(run_until_done(2));
  EXPECT_EQ(done[0].text, "segment 0");
  EXPECT_EQ(done[1].text, "segment 1");
  EXPECT_EQ(doubled, 0);
  EXPECT_EQ(logged("hello"), 2);
}

TEST_F(WorkerPoolTest, GoesOnAfterAnIdleWorkerWasKilled) {
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);  // the guard too
  ASSERT_TRUE(run_until([&] { return statuses.back().state == WorkerState::failed; }));
  transcribe(1);
  ASSERT_TRUE(run_until_done(2));
  EXPECT_EQ(done[1].text, "segment 1");
}

// Workers that cannot start.

TEST_F(WorkerPoolTest, FailsAllJobsWhereThereIsNoSuchProgram) {
  settings.executable = folder / "dictum-worker-nobody";
  settings.workers = 2;
  make_pool();
  for (std::uint32_t segment = 0; segment < 100; ++segment) transcribe(segment);
  ASSERT_TRUE(run_until_done(100));
  for (const auto& [segment, outcome] : done) EXPECT_EQ(outcome.error.value().code, "transcriber_missing");
  EXPECT_THAT(done[0].error->message, HasSubstr("dictum-worker-nobody"));
  EXPECT_EQ(statuses.back().state, WorkerState::failed);
  EXPECT_EQ(statuses.back().code, "transcriber_missing");
}

TEST_F(WorkerPoolTest, FailsJobsWhereTheGuardIsMissing) {
  settings.guard = folder / "dictum-guard";
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_EQ(done[0].error.value().code, "transcriber_missing");
  EXPECT_THAT(done[0].error->message, HasSubstr("dictum-guard"));
}

struct BadHello {
  const char* name;
  const char* hello;
  const char* sentence;
  int starts;
};

class BadHelloTest : public PoolFixture, public testing::WithParamInterface<BadHello> {};

TEST_P(BadHelloTest, FailsTheJobAfterABoundedNumberOfTries) {
  if (GetParam().sentence == std::string("did not say hello")) settings.hello_timeout = kSanitized ? 2s : 300ms;
  script(R"({"hello":{)" + std::string(GetParam().hello) + "}}");
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_EQ(done[0].error.value().code, "transcriber_missing");
  EXPECT_THAT(done[0].error->message, HasSubstr(GetParam().sentence));
  EXPECT_EQ(logged("hello"), static_cast<std::size_t>(GetParam().starts));
}

INSTANTIATE_TEST_SUITE_P(Workers, BadHelloTest,
                         testing::Values(BadHello{"OfAnotherVersion", R"("protocol":2)", "version 2", 1},
                                         BadHello{"ThatIsGarbage", R"("do":"garbage")", "too long", 3},
                                         BadHello{"ThatNeverComes", R"("do":"hang")", "did not say hello", 3},
                                         BadHello{"OfAWorkerThatCrashes", R"("do":"leave")", "exit code 0", 3},
                                         BadHello{"ThatIsAnError", R"("do":"error")", "the script says so", 3}),
                         [](const auto& bad) { return std::string(bad.param.name); });

TEST_F(WorkerPoolTest, SaysWhichLineAWorkerPrintedLast) {
  script("{\"texts\":");
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_THAT(done[0].error.value().message, HasSubstr("script"));
}

TEST_F(WorkerPoolTest, LeavesNothingBehindWhereStartingFailsAtAnyStep) {
  rlimit usual{};
  ::getrlimit(RLIMIT_NOFILE, &usual);
  settings.backoff = 0ms;
  settings.outage_patience = 0ms;
  make_pool();  // the loop opens descriptors of its own
  const std::size_t before = open_descriptors();
  std::uint32_t segment = 0;
  bool started = false;
  for (rlim_t spare = 0; spare < 40 && !started; ++spare, ++segment) {
    make_pool();
    const rlimit tight{before + spare, usual.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &tight);
    transcribe(segment);
    const bool ended = run_until_done(segment + 1);
    ::setrlimit(RLIMIT_NOFILE, &usual);
    ASSERT_TRUE(ended);
    started = !done[segment].error.has_value();
    pool->abandon();
    if (!started) {
      EXPECT_EQ(done[segment].error->code, "transcriber_missing");
      EXPECT_TRUE(run_until([&] { return open_descriptors() <= before; }, 2s))
          << "with " << spare << " spare descriptors";
    }
  }
  EXPECT_TRUE(started);
  EXPECT_GT(segment, 3);
}

// Ends.

TEST_F(WorkerPoolTest, LeavesNoDescriptorAndNoProcessBehind) {
  script(R"({"grandchild":true})");
  settings.workers = 3;
  const boost::asio::local::stream_protocol::socket first(io);  // the loop opens descriptors of its own
  const std::size_t before = open_descriptors();
  make_pool();
  for (std::uint32_t segment = 0; segment < 6; ++segment) transcribe(segment);
  ASSERT_TRUE(run_until_done(6));
  EXPECT_GE(processes().size(), 3 + 1 + 6);
  pool.reset();
  io.restart();
  io.run_for(5s);
  EXPECT_EQ(processes().size(), 0);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(WorkerPoolTest, AbandonsAStuckWorkerAtOnceAndReportsNothingMore) {
  script(R"({"do":"freeze","grandchild":true})");
  settings.ping_interval = 1h;
  make_pool();
  transcribe(0);
  transcribe(1);
  ASSERT_TRUE(run_until([&] { return logged("job") == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  pool->abandon();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 100ms);
  const std::size_t reported = statuses.size();
  io.restart();
  io.run_for(5s);
  EXPECT_EQ(done.size(), 0);
  EXPECT_EQ(statuses.size(), reported);
  EXPECT_EQ(processes().size(), 0);
}

TEST_F(WorkerPoolTest, GivesAWorkerAFolderForTemporaryFilesThatGoesWithIt) {
  namespace fs = std::filesystem;
  const fs::path abandoned = folder / "tmp/dictum-worker-killed";  // by guard and reaper, killed at once
  fs::create_directories(abandoned);
  std::ofstream(abandoned / "speech.wav") << "speech";
  settings.environment["TMPDIR"] = folder / "tmp";
  settings.environment["OUT"] = folder / "environment";
  ::setenv("SOMEBODY_ELSES_API_KEY", "secret", 1);
  settings.executable = folder / "dictum-worker-script";
  std::ofstream(settings.executable) << "#!/bin/sh\necho speech >\"$TMPDIR/a.wav\"; mkdir \"$TMPDIR/b\"; "
                                        "env >\"$OUT.new\"; mv \"$OUT.new\" \"$OUT\"; exec sleep 1000\n";
  fs::permissions(settings.executable, fs::perms::owner_all);
  make_pool().prepare([](const std::optional<EventError>&) {});
  ASSERT_TRUE(run_until([&] { return fs::exists(folder / "environment"); }));
  ::unsetenv("SOMEBODY_ELSES_API_KEY");
  EXPECT_FALSE(fs::is_empty(folder / "tmp"));
  EXPECT_FALSE(fs::exists(abandoned));
  pool->abandon();
  EXPECT_TRUE(run_until([&] { return fs::is_empty(folder / "tmp"); }));
  std::ifstream in(folder / "environment");
  const std::string environment{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(environment, HasSubstr("PATH="));
  EXPECT_EQ(environment.find("SOMEBODY"), std::string::npos);
}

TEST_F(WorkerPoolTest, MakesWhatAWorkerPrintedFitForATerminal) {
  settings.executable = folder / "dictum-worker-script";
  std::ofstream(settings.executable) << "#!/bin/sh\nprintf '\\033]0;owned\\007broken' >&2; exit 3\n";
  std::filesystem::permissions(settings.executable, std::filesystem::perms::owner_all);
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_THAT(done[0].error.value().message, HasSubstr("broken"));
  EXPECT_EQ(done[0].error->message.find('\033'), std::string::npos);
}

TEST_F(WorkerPoolTest, ReapsItsGuardsThoughNobodyRunsTheLoopAnyMore) {
  auto loop = std::make_unique<boost::asio::io_context>();
  {
    WorkerPool other(loop->get_executor(), settings, std::make_shared<SystemClock>(), {});
    bool answered = false;
    test::transcribe(other, job(0), [&](const TranscriptionOutcome&) { answered = true; });
    while (!answered) loop->run_one_for(10s);
  }
  loop.reset();
  EXPECT_EQ(processes().size(), 0);
}

TEST_F(WorkerPoolTest, KeepsItsWorkersWhenTheThreadThatStartedThemEnds) {
  make_pool();
  std::thread([&] {
    transcribe(0);
    run_until_done(1);
  }).join();
  ASSERT_EQ(done.size(), 1);
  transcribe(1);
  ASSERT_TRUE(run_until_done(2));
  EXPECT_EQ(done[1].text, "segment 1");
  EXPECT_EQ(logged("hello"), 1);
}

TEST_F(WorkerPoolTest, WorksInAHostThatIgnoresTheEndsOfItsChildren) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  script(R"({"segments":{"0":[{"do":"crash"}]}})");
  make_pool();
  transcribe(0);
  transcribe(1);
  const bool ended = run_until_done(2);
  ::signal(SIGCHLD, before);
  ASSERT_TRUE(ended);
  EXPECT_EQ(done[0].error.value().code, "quarantined");
  EXPECT_EQ(done[1].text, "segment 1");
}

TEST_F(WorkerPoolTest, WorksInAHostWithoutStandardStreams) {
  // In a process of its own, since closing them here would silence the test.
  EXPECT_EXIT(
      {
        for (int fd = 0; fd < 3; ++fd) ::close(fd);
        boost::asio::io_context loop;
        WorkerPool other(loop.get_executor(), settings, std::make_shared<SystemClock>(), {});
        bool good = false;
        test::transcribe(other, job(0), [&](const TranscriptionOutcome& outcome) {
          good = outcome.text == "segment 0";
          loop.stop();
        });
        loop.run_for(20s);
        other.abandon();
        loop.restart();
        loop.run_for(5s);
        std::_Exit(good ? 42 : 1);
      },
      testing::ExitedWithCode(42), "");
}

TEST_F(WorkerPoolTest, KeepsABacklogSmall) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's memory says nothing";
  class Backlog final : public JobSource {
   public:
    std::optional<TranscriptionJob> job(std::uint32_t) override { return std::nullopt; }
    void transcribed(std::uint32_t, TranscriptionOutcome) override {}
    void has_no_worker(const EventError&) override {}
  };
  make_pool();
  const auto source = std::make_shared<Backlog>();
  const std::size_t before = resident_bytes();
  for (std::uint32_t segment = 0; segment < 10'000; ++segment) pool->submit(source, segment);
  EXPECT_LT(resident_bytes() - before, 3u << 20);
}

// Interim text.

class InterimText : public PoolFixture {
 protected:
  /// The segment has grown to so many words.
  void grow(std::uint32_t segment, int words) { pool->preview(job(segment, words * 0.5)); }
};

TEST_F(InterimText, ComesFromAWorkerThatPromisesToCancelQuickly) {
  settings.preview_interval = 0ms;
  script(R"({"texts":["ask not what your country"],"hello":{"cancel_ms":100}})");
  make_pool().prepare([](const std::optional<EventError>&) {});
  ASSERT_TRUE(run_until([&] { return !statuses.empty() && statuses.back().state == WorkerState::ready; }));
  grow(0, 2);
  ASSERT_TRUE(run_until([&] { return partials.size() == 1; }));
  grow(0, 4);
  ASSERT_TRUE(run_until([&] { return partials.size() == 2; }));
  EXPECT_EQ(partials[0].text, "ask not");
  EXPECT_EQ(partials[0].stable, 0);
  EXPECT_EQ(partials[1].text, "ask not what your");
  EXPECT_EQ(partials[1].stable, std::string("ask not").size());
}

TEST_F(InterimText, IsNotAskedFromTheOnlyWorkerWithoutThatPromise) {
  settings.preview_interval = 0ms;
  script(R"({"hello":{"cancel_ms":5000}})");
  make_pool().prepare([](const std::optional<EventError>&) {});
  ASSERT_TRUE(run_until([&] { return !statuses.empty() && statuses.back().state == WorkerState::ready; }));
  grow(0, 2);
  transcribe(1);
  ASSERT_TRUE(run_until_done(1));
  EXPECT_EQ(logged("interim"), 0);
}

TEST_F(InterimText, IsAskedFromASecondWorkerWithoutThatPromise) {
  settings.preview_interval = 0ms;
  settings.workers = 2;
  script(R"({"hello":{"cancel_ms":5000},"latency_ms":200})");
  make_pool();
  transcribe(8);
  transcribe(9);
  ASSERT_TRUE(run_until_done(2));
  grow(0, 2);
  EXPECT_TRUE(run_until([&] { return partials.size() == 1; }));
}

TEST_F(InterimText, IsAskedForAboutOnceASecond) {
  auto clock = std::make_shared<ManualClock>(std::chrono::system_clock::time_point());
  WorkerPoolEvents events;
  events.on_partial = [&](const std::string&, std::uint32_t, std::string text, std::size_t) {
    partials.push_back({0, text, 0});
  };
  pool = std::make_unique<WorkerPool>(io.get_executor(), settings, clock, events);
  transcribe(9);
  ASSERT_TRUE(run_until_done(1));
  grow(0, 1);
  ASSERT_TRUE(run_until([&] { return partials.size() == 1; }));
  clock->advance(999ms);
  grow(0, 2);
  io.poll();
  EXPECT_EQ(logged("interim"), 1);
  clock->advance(1ms);
  grow(0, 3);
  EXPECT_TRUE(run_until([&] { return partials.size() == 2; }));
}

TEST_F(InterimText, NeverDelaysAFinalText) {
  script(R"({"interim":{"latency_ms":60000}})");
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  grow(1, 2);
  ASSERT_TRUE(run_until([&] { return logged("interim") == 1; }));
  pool->end_preview(1);
  transcribe(1);
  ASSERT_TRUE(run_until_done(2));
  EXPECT_EQ(done[1].text, "segment 1");
  EXPECT_EQ(logged("hello"), 1);
  EXPECT_EQ(partials.size(), 0);
}

TEST_F(InterimText, OfAWorkerThatIgnoresACancelCostsOnlyThatWorker) {
  script(R"({"interim":{"latency_ms":60000,"ignores_cancel":true}})");
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  grow(1, 2);
  ASSERT_TRUE(run_until([&] { return logged("interim") == 1; }));
  transcribe(2);
  ASSERT_TRUE(run_until_done(2));
  EXPECT_EQ(done[2].text, "segment 2");
  EXPECT_EQ(logged("hello"), 2);
}

TEST_F(InterimText, IsGivenUpForASegmentThatEndsTheWorker) {
  settings.preview_interval = 0ms;
  script(R"({"interim":{"do":"crash"}})");
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  grow(1, 2);
  ASSERT_TRUE(run_until([&] { return statuses.back().state == WorkerState::failed; }));
  grow(1, 4);
  transcribe(1);
  ASSERT_TRUE(run_until_done(2));
  EXPECT_EQ(done[1].text, "segment 1");
  EXPECT_EQ(logged("interim"), 1);
}

TEST_F(InterimText, OfAFinalJobIsPassedOn) {
  script(R"({"partials":["one two","one two three"]})");
  make_pool();
  transcribe(0);
  ASSERT_TRUE(run_until_done(1));
  ASSERT_EQ(partials.size(), 2);
  EXPECT_EQ(partials[1].stable, std::string("one two").size());
}

}  // namespace
}  // namespace dictum::transcription
