#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <fstream>
#include <future>
#include <optional>
#include <span>
#include <thread>

#include "recorder/cycles.hpp"
#include "recorder/event_log.hpp"
#include "recorder/failures.hpp"
#include "recorder/flavours.hpp"
#include "recorder/recordings.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/processes.hpp"

namespace dictum {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kNoFilter = 254;  // the exit code of a process that cannot filter system calls

// --- Construction ----------------------------------------------------------------------------------------------------

/// Lets no thread of this process make one of these system calls: `otherwise` is what becomes of it. False where this
/// system cannot filter them.
bool filter_system_calls(std::span<const int> calls, std::uint32_t these, std::uint32_t otherwise) {
  std::vector<sock_filter> filter{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const int call : calls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, these));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, otherwise));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

/// Ends the process, with the number of the system call as its exit code, at the first one that is not about memory.
void forbid_system_calls() {
  constexpr std::array<int, 8> kAllowed{SYS_brk,     SYS_mmap,  SYS_munmap,        SYS_mremap,
                                        SYS_madvise, SYS_futex, SYS_clock_gettime, SYS_exit_group};
  struct sigaction action{};
  action.sa_sigaction = [](int, siginfo_t* info, void*) { ::_exit(info->si_syscall == 0 ? 255 : info->si_syscall); };
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);
  if (!filter_system_calls(kAllowed, SECCOMP_RET_ALLOW, SECCOMP_RET_TRAP)) ::_exit(kNoFilter);
}

/// The exit code of `work` in a process of its own.
template <class Work>
int in_a_process(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 253;
}

/// What `work` ends with in a process that may make no system call: 0, kNoFilter, or the number of the call that it
/// made.
template <class Work>
int without_system_calls(Work work) {
  return in_a_process([&] {
    forbid_system_calls();
    work();
  });
}

TEST(Construction, MakesNoSystemCall) {
  if (transcription::kSanitized) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  const int ended = without_system_calls([] { const RecorderBackend blocking(RecorderConfig(), [](const Event&) {}); });
  if (ended == kNoFilter) GTEST_SKIP() << "this system cannot filter system calls";
  EXPECT_EQ(ended, 0) << "made this system call";
}

TEST(Construction, OfTheAwaitedFlavourMakesNoSystemCall) {
  if (transcription::kSanitized) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  asio::io_context loop(1);
  const int ended = without_system_calls(
      [&] { const AsyncRecorderBackend awaited(loop.get_executor(), RecorderConfig(), [](const Event&) {}); });
  if (ended == kNoFilter) GTEST_SKIP() << "this system cannot filter system calls";
  EXPECT_EQ(ended, 0) << "made this system call";
}

TEST(Construction, TheFilterOfSystemCallsSeesAThread) {
  if (transcription::kSanitized) GTEST_SKIP() << "a sanitizer makes system calls of its own";
  const int ended = without_system_calls([] { std::thread([] {}).join(); });
  if (ended == kNoFilter) GTEST_SKIP() << "this system cannot filter system calls";
  EXPECT_NE(ended, 0);
}

TEST(Construction, TakesLessThanAMillisecond) {
  std::vector<Clock::duration> took(51);
  for (auto& each : took) {
    const auto began = Clock::now();
    const RecorderBackend recorder(RecorderConfig(), [](const Event&) {});
    each = Clock::now() - began;
  }
  std::ranges::sort(took);
  EXPECT_LT(took[took.size() / 2], 1ms);  // the median: this thread may be interrupted for longer than that
}

// --- Starts that fail ------------------------------------------------------------------------------------------------

template <class F>
class Resources : public testing::Test {
 protected:
  test::TemporaryDirectory root;
  test::EventLog log;
};

using Flavours = testing::Types<test::BlockingFlavour, test::AsyncFlavour>;
TYPED_TEST_SUITE(Resources, Flavours, test::FlavourNames);

TYPED_TEST(Resources, AStartThatFailsAtAnyStepLeavesNoThreadDescriptorProcessOrFile) {
  for (const test::Failure& failure : test::failures_of_a_start()) {
    SCOPED_TRACE(failure.name);
    const test::TemporaryDirectory around;
    RecorderConfig config = test::scripted(around / "sessions");
    failure.arrange(config, around);
    TypeParam recorder(config);
    recorder.pause();  // what the event loop itself needs is not counted
    const test::Holdings before = test::holdings();
    EXPECT_EQ(recorder.start(), failure.code);
    EXPECT_TRUE(test::come_down_to(before));
    EXPECT_FALSE(std::filesystem::exists(around / "sessions"));
  }
}

/// From now on the system gives no thread.
void take_threads_away() {
  constexpr std::array<int, 2> kClone{SYS_clone, SYS_clone3};
  if (!filter_system_calls(kClone, SECCOMP_RET_ERRNO | EAGAIN, SECCOMP_RET_ALLOW)) ::_exit(kNoFilter);
}

TEST(Threads, ThatCannotBeHadToRecordOnFailTheStart) {
  if (transcription::kSanitized) GTEST_SKIP() << "a sanitizer cannot do without threads";
  const test::TemporaryDirectory root;
  const int ended = in_a_process([&] {
    RecorderBackend recorder(test::scripted(root / "sessions"), [](const Event&) {});
    take_threads_away();
    std::error_code error;
    recorder.start_recording(error);
    ::_exit(error == Errc::internal && recorder.last_error().starts_with("The system gives no thread") ? 0 : 1);
  });
  if (ended == kNoFilter) GTEST_SKIP() << "this system cannot filter system calls";
  EXPECT_EQ(ended, 0);
}

TEST(Threads, ThatCannotBeHadToCallBackOnFailTheStartAndLeaveNothing) {
  if (transcription::kSanitized) GTEST_SKIP() << "a sanitizer cannot do without threads";
  const test::TemporaryDirectory root;
  const int ended = in_a_process([&] {
    RecorderConfig config = test::scripted(root / "sessions");
    config.source = [source = config.source] {  // made when the threads to record on are there
      take_threads_away();
      return source();
    };
    RecorderBackend recorder(config, [](const Event&) {});
    std::error_code error;
    recorder.start_recording(error);
    if (error != Errc::internal ||
        !recorder.last_error().ends_with("to call back on: Resource temporarily unavailable."))
      ::_exit(1);
    ::_exit(recorder.is_recording() || std::filesystem::exists(root / "sessions") ? 2 : 0);
  });
  if (ended == kNoFilter) GTEST_SKIP() << "this system cannot filter system calls";
  EXPECT_EQ(ended, 0);
}

TYPED_TEST(Resources, StartsThatFailAtTheSameTimeAllEnd) {
  RecorderConfig config = test::scripted(this->root / "sessions");
  config.source = [] { return std::make_unique<test::FailingSource>(); };
  TypeParam recorder(config);
  std::vector<std::future<int>> callers;
  for (int i = 0; i < 4; ++i) {
    callers.push_back(std::async(std::launch::async, [&] {
      int failed = 0;
      for (int n = 0; n < 25; ++n) {
        failed += recorder.start() == Errc::device_busy ? 1 : 0;
        recorder.pause();
        recorder.wait_until_idle();
      }
      return failed;
    }));
  }
  for (auto& caller : callers) EXPECT_EQ(caller.get(), 25);
}

TYPED_TEST(Resources, WhatHadFailedCanBeTriedAgainThoughAStartFailedSince) {
  RecorderConfig config = test::scripted(this->root.path());
  config.source = [good = config.source, tries = std::make_shared<int>(0)]() -> std::unique_ptr<AudioSource> {
    if ((*tries)++ > 0) return std::make_unique<test::FailingSource>();
    return good();
  };
  TypeParam recorder(config, [this](const Event& event) { this->log.add(event); });
  ASSERT_FALSE(recorder.start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  ASSERT_FALSE(recorder.stop());
  ASSERT_EQ(recorder.start(), Errc::device_busy);
  EXPECT_FALSE(recorder.retry_failed()) << recorder.last_error();
}

TYPED_TEST(Resources, AWorkerThatCannotStartLeavesNothing) {
  const test::Holdings before = test::holdings();
  std::ofstream(this->root / "dictum-worker-broken") << "#!/no/such/interpreter\n";
  std::filesystem::permissions(this->root / "dictum-worker-broken", std::filesystem::perms::owner_all);
  ::setenv("DICTUM_WORKER_DIR", this->root.path().c_str(), 1);
  {
    RecorderConfig config = test::scripted(this->root / "sessions");
    config.custom_transcriber = nullptr;
    config.transcription.transcriber = "broken";
    TypeParam recorder(config, [this](const Event& event) { this->log.add(event); });
    ASSERT_FALSE(recorder.start());
    ASSERT_TRUE(this->log.template wait_for<TranscriptionComplete>(3));
  }
  ::unsetenv("DICTUM_WORKER_DIR");
  for (const auto& complete : this->log.template bodies<TranscriptionComplete>()) EXPECT_FALSE(complete.success);
  EXPECT_TRUE(test::come_down_to(before));
}

TYPED_TEST(Resources, WorkersAreGoneWithTheirRecorder) {
  const test::Holdings before = test::holdings();
  {
    RecorderConfig config = test::scripted(this->root / "sessions");
    config.custom_transcriber = nullptr;
    config.transcription.transcriber = "simulated";
    config.transcription.workers = 2;
    TypeParam recorder(config, [this](const Event& event) { this->log.add(event); });
    ASSERT_FALSE(recorder.start());
    ASSERT_TRUE(this->log.template wait_for<TranscriptionComplete>(3));
    for (const auto& complete : this->log.template bodies<TranscriptionComplete>()) {
      EXPECT_TRUE(complete.success) << complete.error->message;
    }
    EXPECT_GT(test::holdings().children, before.children);
  }
  EXPECT_TRUE(test::come_down_to(before));
}

// --- The caller's loop -----------------------------------------------------------------------------------------------

/// Takes its time to open, as devices and models do.
class SlowSource final : public AudioSource {
 public:
  explicit SlowSource(std::unique_ptr<AudioSource> source) : source_(std::move(source)) {}
  AudioFormat open() override {
    std::this_thread::sleep_for(kTakes);
    return source_->open();
  }
  Reading read(std::span<float> samples) override { return source_->read(samples); }
  void close() noexcept override { source_->close(); }
  std::chrono::milliseconds pace() const override { return source_->pace(); }
  std::string description() const override { return source_->description(); }

  static constexpr auto kTakes = 400ms;

 private:
  const std::unique_ptr<AudioSource> source_;
};

/// A timer of a millisecond on an event loop, and the longest time between two of its ticks.
class Heartbeat {
 public:
  explicit Heartbeat(asio::io_context& loop) : timer_(loop) { beat(Clock::now()); }
  void stop() { is_stopped_ = true; }
  Clock::duration longest() const { return longest_; }

 private:
  void beat(Clock::time_point last) {
    timer_.expires_after(1ms);
    timer_.async_wait([this, last](const auto&) {
      const auto now = Clock::now();
      longest_ = std::max(longest_, now - last);
      if (!is_stopped_) beat(now);
    });
  }

  asio::steady_timer timer_;
  bool is_stopped_ = false;
  Clock::duration longest_{};
};

TEST(Heartbeat, OfTheCallersLoopKeepsItsPaceThroughTheFirstStart) {
  const test::TemporaryDirectory root;
  RecorderConfig config = test::scripted(root.path());
  config.source = [source = config.source] { return std::make_unique<SlowSource>(source()); };
  config.detector = [detector = config.detector] {
    std::this_thread::sleep_for(SlowSource::kTakes);
    return detector();
  };
  asio::io_context loop(1);
  Heartbeat heart(loop);
  Clock::duration start_took{};
  asio::co_spawn(
      loop,
      [&]() -> asio::awaitable<void> {
        AsyncRecorderBackend recorder(loop.get_executor(), config, [](const Event&) {});
        const auto began = Clock::now();
        co_await recorder.start_recording();
        start_took = Clock::now() - began;
        co_await recorder.stop_recording();
      },
      [&heart](const std::exception_ptr& error) {
        heart.stop();
        if (error) std::rethrow_exception(error);
      });
  loop.run();
  EXPECT_GE(start_took, 2 * SlowSource::kTakes);
  EXPECT_LT(heart.longest(), SlowSource::kTakes / 2);
}

// --- What is held for longer than the recorder
// ------------------------------------------------------------------------

/// Never answers, and leaves what it would answer with to the test.
class KeptTranscriber final : public Transcriber {
 public:
  explicit KeptTranscriber(std::shared_ptr<std::vector<Done>> kept) : kept_(std::move(kept)) {}
  void transcribe(TranscriptionJob /*job*/, Done done) override { kept_->push_back(std::move(done)); }
  void abandon() override {}

 private:
  const std::shared_ptr<std::vector<Done>> kept_;
};

TYPED_TEST(Resources, AnAnswerThatIsNeverGivenMayBeHeldForLongerThanTheRecorder) {
  const auto kept = std::make_shared<std::vector<Transcriber::Done>>();
  {
    RecorderConfig config = test::scripted(this->root / "sessions");
    config.custom_transcriber = [kept] { return std::make_unique<KeptTranscriber>(kept); };
    config.transcription.drain_sec = 0;
    TypeParam recorder(config, [this](const Event& event) { this->log.add(event); });
    ASSERT_EQ(recorder.start(), std::error_code());
    ASSERT_TRUE(this->log.template wait_for<TranscriptionQueued>());
    recorder.stop();
  }
  ASSERT_FALSE(kept->empty());
  kept->clear();  // the last that holds a strand of the recorder
}

// --- Again and again -------------------------------------------------------------------------------------------------

// The long version is bench/cycles.
TEST(Cycles, AHundredRecordersThatEndAtAnyMomentLeaveNothingBehind) {
  test::run_cycles({.count = 100, .seed = 4});
}

}  // namespace
}  // namespace dictum
