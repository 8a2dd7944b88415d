// dictum-guard: stands between the recorder and one worker, so that nothing outlives the recorder.
//
//   dictum-guard RECORDER_PID MEMORY_CAP_BYTES WORKER [ARGUMENT...]
//
// Descriptors 0, 1 and 2 are the worker's; 3 is the lifeline, whose other end the recorder holds. The guard kills the
// worker and everything that the worker started, whatever group or session it moved to, when the worker ends, when the
// lifeline ends (the recorder let go) or when the recorder dies; then it ends as the worker did.
//
// The recorder cannot do this itself: it may be any program with any threads, PDEATHSIG belongs to the forking thread
// and reaches no grandchildren, and nobody can clean up after their own kill -9. The guard has one thread, so PDEATHSIG
// is right between it and the worker. It links nothing but the C library and starts in under a millisecond.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {  // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

namespace {

constexpr int kLifeline = 3;
constexpr int kCannotStart = 127;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "dictum-guard: %s: %s\n", what, std::strerror(errno));
  std::_Exit(kCannotStart);
}

/// Between fork and exec. SIGKILL reaches the worker when the guard dies, however that happens.
[[noreturn]] void become_worker(pid_t guard, rlim_t memory_cap, char** command) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
  if (::getppid() != guard) std::_Exit(kCannotStart);  // it died before the line above

  // Data, not address space: models are mapped files, and may be larger than the memory.
  const rlimit cap{memory_cap, memory_cap};
  if (memory_cap > 0 && ::setrlimit(RLIMIT_DATA, &cap) != 0) fail("the memory cap cannot be set");
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) fail("core dumps cannot be turned off");  // they would hold speech

  sigset_t nothing;
  ::sigemptyset(&nothing);
  ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
  ::close(kLifeline);
  ::execv(command[0], command);
  fail(command[0]);
}

/// Kills all children, then those that thereby become our children, until there are none.
void kill_descendants() {
  for (;;) {
    std::FILE* list = std::fopen("/proc/thread-self/children", "re");
    if (list == nullptr) return;  // what is in our group dies at the end all the same
    int pid = 0;
    bool any = false;
    while (std::fscanf(list, "%d", &pid) == 1) {
      any = true;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    std::fclose(list);
    if (!any) return;
  }
}

/// Reaps what has ended, strays of the worker included. True once the worker has, with its status.
bool reap(pid_t worker, int& status) {
  int one = 0;
  for (;;) {
    const pid_t pid = ::waitpid(-1, &one, WNOHANG);
    if (pid <= 0) return false;
    if (pid == worker) {
      status = one;
      return true;
    }
  }
}

[[noreturn]] void end_like(int status) {
  if (WIFEXITED(status)) std::_Exit(WEXITSTATUS(status));
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
  ::signal(WTERMSIG(status), SIG_DFL);
  ::raise(WTERMSIG(status));
  std::_Exit(128 + WTERMSIG(status));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("dictum-guard is started by the recorder, not by people\n", stderr);
    return 2;
  }
  // The recorder may be any program: what it left open is none of the worker's business.
  if (::close_range(kLifeline + 1, ~0U, 0) != 0) fail("close_range");
  if (::fcntl(kLifeline, F_SETFD, FD_CLOEXEC) != 0) fail("there is no lifeline");
  const auto recorder = static_cast<pid_t>(std::strtol(argv[1], nullptr, 10));
  const rlim_t memory_cap = std::strtoull(argv[2], nullptr, 10);

  // A copy of the lifeline may live on in a process that the recorder forked, so its death is watched as well.
  const int recorder_end = ::pidfd_open(recorder, 0);
  if (::getppid() != recorder) return kCannotStart;
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail("prctl");

  sigset_t child_ends;
  ::sigemptyset(&child_ends);
  ::sigaddset(&child_ends, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child_ends, nullptr);
  const int children = ::signalfd(-1, &child_ends, SFD_CLOEXEC | SFD_NONBLOCK);
  if (children < 0) fail("signalfd");

  const pid_t guard = ::getpid();
  const pid_t worker = ::fork();
  if (worker < 0) fail("fork");
  if (worker == 0) become_worker(guard, memory_cap, argv + 3);

  // The recorder must see the frame channel end with the worker.
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < kLifeline; ++fd) ::dup2(nothing, fd);

  int status = 0;
  for (;;) {
    pollfd ends[] = {{kLifeline, POLLIN, 0}, {children, POLLIN, 0}, {recorder_end, POLLIN, 0}};
    if (::poll(ends, 3, -1) < 0 && errno != EINTR) break;
    if (ends[0].revents != 0 || ends[2].revents != 0) break;
    signalfd_siginfo signal{};
    while (::read(children, &signal, sizeof signal) > 0) {
    }
    if (reap(worker, status)) {
      kill_descendants();
      end_like(status);
    }
  }
  kill_descendants();
  ::kill(0, SIGKILL);  // the whole group, this process too
}
