#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <numeric>
#include <thread>

#include "capture/make_microphone.hpp"
#include "capture/portaudio_stream.hpp"
#include "capture/pulse_stream.hpp"
#include "capture/tape.hpp"
#include "support/virtual_microphone.hpp"

/// What the audio callbacks do of ours, under guard: this program replaces the allocator and the functions that lock
/// and wake, and has the kernel refuse every system call of the thread, while a function of ours runs in a callback.
/// Calls that the kernel serves in user space (the clock, through the vDSO) are none.
///
/// Two of the tests drive the functions with made-up audio a million times, two let them run in the real callbacks: the
/// linker (--wrap) puts the guard around CaptureRing::push, the one function that both backends call.

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

namespace {

std::atomic<int> broken{0};            // calls that the fence forbids
std::atomic<const char*> culprit{""};  // the last of them
std::atomic<int> guarded_calls{0};
thread_local bool armed = false;
thread_local volatile char refuse_calls = 0;  // the kernel reads it at every system call of the thread
thread_local bool watched = false;

void report(const char* what) {
  if (!armed) return;
  culprit = what;
  broken.fetch_add(1);
}

/// While it lives, nothing forbidden goes unseen on this thread.
class Guard {
 public:
  Guard() : was_armed_(armed) {
    if (!watched) {
      watched = true;
      ::prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &refuse_calls);
    }
    armed = true;
    refuse_calls = 1;
  }
  ~Guard() {
    if (was_armed_) return;
    refuse_calls = 0;
    armed = false;
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  const bool was_armed_;
};

bool kernel_can_refuse() {
  static const bool can = [] {
    const bool result = ::prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &refuse_calls) == 0;
    watched = true;
    return result;
  }();
  return can;
}

[[gnu::constructor]] void catch_refused_calls() {
  struct sigaction action{};
  action.sa_sigaction = [](int, siginfo_t*, void*) {
    refuse_calls = 0;
    report("a system call");
  };
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// The allocator: these serve malloc, new, and everything in between.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  report("malloc");
  return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) {
  report("calloc");
  return __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* old, std::size_t size) {
  report("realloc");
  return __libc_realloc(old, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment, std::size_t size) {
  report("aligned_alloc");
  return __libc_memalign(alignment, size);
}
__attribute__((visibility("default"))) void free(void* memory) {
  report("free");
  __libc_free(memory);
}

// What locks and wakes. Where no other thread holds or waits, these make no system call.
#define DICTUM_WATCH(name, type)                                           \
  __attribute__((visibility("default"))) int name(type* object) noexcept { \
    report(#name);                                                         \
    static auto* const real = next<int(type*)>(#name);                     \
    return real(object);                                                   \
  }
DICTUM_WATCH(pthread_mutex_lock, pthread_mutex_t)
DICTUM_WATCH(pthread_mutex_trylock, pthread_mutex_t)
DICTUM_WATCH(pthread_mutex_unlock, pthread_mutex_t)
DICTUM_WATCH(pthread_spin_lock, pthread_spinlock_t)
DICTUM_WATCH(pthread_rwlock_rdlock, pthread_rwlock_t)
DICTUM_WATCH(pthread_rwlock_wrlock, pthread_rwlock_t)
DICTUM_WATCH(pthread_cond_signal, pthread_cond_t)
DICTUM_WATCH(pthread_cond_broadcast, pthread_cond_t)
DICTUM_WATCH(sem_post, sem_t)
#undef DICTUM_WATCH
}

// CaptureRing::push and what the linker makes of it.
void real_push(dictum::capture::CaptureRing*, const float*, std::size_t) noexcept
    asm("__real__ZN6dictum7capture11CaptureRing4pushEPKfm");
void guarded_push(dictum::capture::CaptureRing*, const float*, std::size_t) noexcept
    asm("__wrap__ZN6dictum7capture11CaptureRing4pushEPKfm");
void guarded_push(dictum::capture::CaptureRing* ring, const float* samples, std::size_t frames) noexcept {
  const Guard guard;
  guarded_calls.fetch_add(1, std::memory_order_relaxed);
  real_push(ring, samples, frames);
}

namespace dictum::capture {
namespace {

constexpr int kTimes = 1'000'000;
constexpr std::size_t kFrames = 48;

class CaptureFence : public ::testing::Test {
 protected:
  void SetUp() override {
    broken = 0;
    guarded_calls = 0;
    if (!kernel_can_refuse())
      std::puts("this kernel cannot refuse system calls: only those of libc's locks are watched");
  }

  void expect_intact() { EXPECT_EQ(broken, 0) << "the last one was " << culprit.load(); }

  /// Between the calls of the device, what a reader does; now and then it sleeps until the ring overflows.
  void read_on(int time) {
    if (time % 200'000 < 100'000 && time % 16 == 0) {
      for (Delivery delivery; ring_.take(delivery);) ring_.pop(std::span(read_).first(delivery.frames * 2));
    }
  }

  CaptureRing ring_{{48000, 2}, std::make_shared<SystemClock>()};
  std::array<float, kFrames * 2> block_{};
  std::array<float, kFrames * 2> read_{};
};

TEST_F(CaptureFence, SeesAnAllocation) {
  {
    const Guard guard;
    ::operator delete(::operator new(1));
  }
  EXPECT_GE(broken, 1);
}

TEST_F(CaptureFence, SeesALock) {
  std::mutex mutex;
  {
    const Guard guard;
    mutex.lock();
    mutex.unlock();
  }
  EXPECT_GE(broken, 1);
}

TEST_F(CaptureFence, SeesASystemCall) {
  if (!kernel_can_refuse()) GTEST_SKIP() << "this kernel cannot refuse system calls";
  {
    const Guard guard;
    ::getppid();
  }
  EXPECT_EQ(broken, 1);
}

TEST_F(CaptureFence, IsKeptByThePulseCallbackAMillionTimes) {
  for (int i = 0; i < kTimes; ++i) {
    {
      const Guard guard;
      take_pulse_fragment(ring_, i % 1000 == 0 ? nullptr : block_.data(), sizeof block_, 2 * sizeof(float));
    }
    read_on(i);
  }
  expect_intact();
}

TEST_F(CaptureFence, IsKeptByThePortAudioCallbackAMillionTimes) {
  if (!has_portaudio()) GTEST_SKIP() << "built without PortAudio";
  for (int i = 0; i < kTimes; ++i) {
    {
      const Guard guard;
      take_portaudio_block(ring_, i % 1000 == 0 ? nullptr : block_.data(), kFrames, i % 777 == 0);
    }
    read_on(i);
  }
  expect_intact();
}

class LiveCaptureFence : public CaptureFence, public ::testing::WithParamInterface<const char*> {};

TEST_P(LiveCaptureFence, IsKeptInTheRealCallback) {
  DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
  if (std::string(GetParam()) == "portaudio" && !has_portaudio()) GTEST_SKIP() << "built without PortAudio";
  const dictum::test::VirtualMicrophone daemon;
  const auto source = make_microphone(GetParam(), "", std::make_shared<SystemClock>());
  test::Tape tape(*source);
  tape.open();
  EXPECT_TRUE(tape.read_until([] { return guarded_calls > 50; }, std::chrono::seconds(5)));
  tape.finish();
  expect_intact();
}

INSTANTIATE_TEST_SUITE_P(Backends, LiveCaptureFence, ::testing::Values("pulse", "portaudio"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace dictum::capture
