// dictum-guard: stands between the recorder and one worker, so that nothing outlives the recorder.
//
//   dictum-guard RECORDER_PID MEMORY_CAP_BYTES WORKER [ARGUMENT...]
//
// Descriptors 0, 1 and 2 are the worker's; 3 is the lifeline, whose other end the recorder holds. The guard kills the
// worker and everything that the worker started, whatever group or session it moved to, when the worker ends, when the
// lifeline ends (the recorder let go) or when the recorder dies; then it ends as the worker did.
//
// The recorder cannot do this itself: it may be any program with any threads, PDEATHSIG belongs to the forking thread
// and reaches no grandchildren, and no process can clean up after its own kill -9. The guard can be killed as well, so
// it is two processes that watch each other: this one, and the reaper, the worker's parent. Both are sub-reapers: what
// the worker leaves behind becomes the reaper's child, and where that was killed, the guard's. Each has one thread.
// They link nothing but the C library and start in about a millisecond.
//
// Where DICTUM_WORKER_NICE is set, that is the niceness of all of them, unless it is higher already.
//
// The worker has a folder of its own for temporary files, which is removed with all that is in it: speech of a worker
// that was killed does not stay there. Where guard and reaper were both killed, the next guard removes it: a folder in
// use is locked.

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {  // glibc 2.36 forgot to say so
#include <sys/pidfd.h>
}

namespace {

constexpr int kLifeline = 3;
constexpr int kCannotStart = 127;
constexpr char kFolderPrefix[] = "dictum-worker-";

// Linux takes 0 for "no file": a program that is named in core_pattern would get the dump all the same.
constexpr rlimit kNoCoreDump{1, 1};

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "dictum-guard: %s: %s\n", what, std::strerror(errno));
  std::_Exit(kCannotStart);
}

int remove_entry(const char* path, const struct stat*, int, FTW*) {
  ::remove(path);
  return 0;
}

void remove_temporary_folder(const char* path) {
  if (path != nullptr) ::nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/// Opens a folder of this user's and locks it until the descriptor and its copies in children are closed. -1 where it
/// is none, another process has it, or it was removed meanwhile.
int lock_folder(const char* path) {
  const int folder = ::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat opened;
  struct stat named;
  if (folder >= 0 && ::fstat(folder, &opened) == 0 && opened.st_uid == ::geteuid() &&
      ::flock(folder, LOCK_EX | LOCK_NB) == 0 && ::lstat(path, &named) == 0 && named.st_ino == opened.st_ino &&
      named.st_dev == opened.st_dev) {
    return folder;
  }
  if (folder >= 0) ::close(folder);
  return -1;
}

/// Of guards that were killed together with their reapers: when a whole control group is, or the power is cut.
void remove_abandoned_folders(const char* parent) {
  DIR* const list = ::opendir(parent);
  if (list == nullptr) return;
  while (const dirent* const entry = ::readdir(list)) {
    char path[PATH_MAX];
    if (std::strncmp(entry->d_name, kFolderPrefix, std::strlen(kFolderPrefix)) != 0) continue;
    const int length = std::snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
    if (length < 0 || static_cast<std::size_t>(length) >= sizeof path) continue;
    const int folder = lock_folder(path);
    if (folder < 0) continue;
    remove_temporary_folder(path);
    ::close(folder);
  }
  ::closedir(list);
}

/// A folder for the worker's temporary files, or nothing where none can be made. It stays locked as long as this
/// process or the reaper lives.
const char* make_temporary_folder() {
  static char path[PATH_MAX];
  const char* parent = std::getenv("TMPDIR");
  if (parent == nullptr || parent[0] != '/') parent = "/tmp";
  remove_abandoned_folders(parent);
  constexpr int kTries = 100;  // another guard may take it for abandoned before it is locked
  for (int i = 0; i < kTries; ++i) {
    const int length = std::snprintf(path, sizeof path, "%s/%sXXXXXX", parent, kFolderPrefix);
    if (length < 0 || static_cast<std::size_t>(length) >= sizeof path || ::mkdtemp(path) == nullptr) return nullptr;
    if (lock_folder(path) >= 0) {
      ::setenv("TMPDIR", path, 1);
      return path;
    }
    ::rmdir(path);  // where the file system has no locks, the worker does without
  }
  return nullptr;
}

/// Between fork and exec. SIGKILL reaches the worker when its parent dies, however that happens.
[[noreturn]] void become_worker(pid_t parent, rlim_t memory_cap, char** command) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
  if (::getppid() != parent) std::_Exit(kCannotStart);  // it died before the line above

  // Data, not address space: models are mapped files, and may be larger than the memory.
  const rlimit cap{memory_cap, memory_cap};
  if (memory_cap > 0 && ::setrlimit(RLIMIT_DATA, &cap) != 0) fail("the memory cap cannot be set");
  if (::setrlimit(RLIMIT_CORE, &kNoCoreDump) != 0) fail("core dumps cannot be turned off");  // they would hold speech

  sigset_t nothing;
  ::sigemptyset(&nothing);
  ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
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
    // NOLINTNEXTLINE(bugprone-unchecked-string-to-number-conversion): the kernel's numbers
    while (std::fscanf(list, "%d", &pid) == 1) {
      any = true;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    std::fclose(list);
    if (!any) return;
  }
}

/// Reaps what has ended. True once `child` has, with its status.
bool reap(pid_t child, int& status) {
  int one = 0;
  for (;;) {
    const pid_t pid = ::waitpid(-1, &one, WNOHANG);
    if (pid <= 0) return false;
    if (pid == child) {
      status = one;
      return true;
    }
  }
}

/// Ends of children make it readable.
int open_child_signals() {
  sigset_t child_ends;
  ::sigemptyset(&child_ends);
  ::sigaddset(&child_ends, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child_ends, nullptr);
  const int signals = ::signalfd(-1, &child_ends, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail("signalfd");
  return signals;
}

/// Waits until `child` has ended, with its status, or one of `ends` is over: false then.
template <std::size_t kEnds>
bool wait_for(pid_t child, int signals, const int (&ends)[kEnds], int& status) {
  pollfd polled[kEnds + 1] = {{signals, POLLIN, 0}};
  for (std::size_t i = 0; i < kEnds; ++i) polled[i + 1] = {ends[i], POLLIN, 0};
  for (;;) {
    if (::poll(polled, kEnds + 1, -1) < 0 && errno != EINTR) return false;
    for (std::size_t i = 0; i < kEnds; ++i) {
      if (polled[i + 1].revents != 0) return false;
    }
    signalfd_siginfo signal{};
    while (::read(signals, &signal, sizeof signal) > 0) {
    }
    if (reap(child, status)) return true;
  }
}

/// The recorder must see the frame channel end with the worker.
void leave_standard_streams() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < kLifeline; ++fd) ::dup2(nothing, fd);
}

/// The worker's parent. Ends with the worker, or with the guard, and then takes everything with it.
[[noreturn]] void become_reaper(int guard_end, const char* folder, rlim_t memory_cap, char** command,
                                int* worker_status) {
  ::prctl(PR_SET_NAME, "dictum-reaper");
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail("prctl");
  ::close(kLifeline);
  const int signals = open_child_signals();
  const pid_t reaper = ::getpid();
  const pid_t worker = ::fork();
  if (worker < 0) fail("fork");
  if (worker == 0) become_worker(reaper, memory_cap, command);
  leave_standard_streams();
  int status = 0;
  const bool worker_ended = wait_for(worker, signals, {guard_end}, status);
  kill_descendants();
  if (worker_ended) *worker_status = status;
  if (!worker_ended) remove_temporary_folder(folder);  // else the guard does
  std::_Exit(0);
}

[[noreturn]] void end_like(int status) {
  if (WIFEXITED(status)) std::_Exit(WEXITSTATUS(status));
  ::setrlimit(RLIMIT_CORE, &kNoCoreDump);
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
  const int signals = open_child_signals();
  // Inherited by all that follow: a worker for texts that nobody waits for yields to those that are live.
  const char* const nice = std::getenv("DICTUM_WORKER_NICE");
  const int priority = nice == nullptr ? INT_MIN : static_cast<int>(std::strtol(nice, nullptr, 10));
  if (priority > ::getpriority(PRIO_PROCESS, 0)) ::setpriority(PRIO_PROCESS, 0, priority);

  constexpr int kUnknown = -1;  // no wait status is negative
  void* const shared = ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int guard_life[2];
  if (shared == MAP_FAILED || ::pipe2(guard_life, O_CLOEXEC) != 0) fail("no memory");
  auto* const worker_status = static_cast<int*>(shared);
  *worker_status = kUnknown;
  const char* const folder = make_temporary_folder();

  const pid_t reaper = ::fork();
  if (reaper < 0) fail("fork");
  if (reaper == 0) {
    ::close(guard_life[1]);
    become_reaper(guard_life[0], folder, memory_cap, argv + 3, worker_status);
  }
  leave_standard_streams();

  int status = 0;
  const bool ended = wait_for(reaper, signals, {kLifeline, recorder_end}, status);
  kill_descendants();
  remove_temporary_folder(folder);
  if (ended) end_like(*worker_status == kUnknown ? status : *worker_status);
  ::kill(0, SIGKILL);  // the whole group, this process too
}
