/// Calls of the system that fail or stall in a program under test, which preloads this (LD_PRELOAD). faulty_program.cpp
/// sets the environment:
///
///   DICTUM_FAULT_CALL   which calls: write, truncate, sync, rename, remove, open, folder, descriptor, process, thread
///   DICTUM_FAULT_BELOW  of those on files, only those below this folder
///   DICTUM_FAULT_FIRST  the first call that is hit, from 1; 0: none, they are only counted
///   DICTUM_FAULT_COUNT  how many are hit; 0: all from there on
///   DICTUM_FAULT_ERROR  the errno that they fail with; 0: they stall for DICTUM_FAULT_STALL_MS, and then do their work
///   DICTUM_FAULT_PART   1: of the first write, half is written
///   DICTUM_FAULT_WHEN   where set: calls count only while this file exists
///   DICTUM_FAULT_LOG    a FIFO that gets a letter for each call that counts: 'c', or 'h' for one that is hit
///
/// Only the program named `dictum` is meant, not what it starts. Everything is resolved by dlsym, so the calls that the
/// C library makes to itself (stdio, say) are not seen.

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace {

struct Settings {
  const char* call = nullptr;  // null: nothing is hit, nothing counted
  const char* below = nullptr;
  const char* when = nullptr;
  int first = 0;
  int count = 0;
  int error = 0;
  int stall_ms = 0;
  bool is_partial = false;
  int log = -1;
};

Settings settings;
std::atomic<int> calls{0};

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

using Syscall = long(long, ...);

/// A system call around everything that is replaced here.
template <class... Arguments>
long direct(long number, Arguments... arguments) {
  static auto* const real = next<Syscall>("syscall");
  return real(number, arguments...);
}

int number(const char* name) {
  const char* const text = ::getenv(name);
  return text != nullptr ? ::atoi(text) : 0;
}

[[gnu::constructor]] void read_settings() {
  if (::strcmp(program_invocation_short_name, "dictum") != 0) return;
  settings.below = ::getenv("DICTUM_FAULT_BELOW");
  settings.when = ::getenv("DICTUM_FAULT_WHEN");
  settings.first = number("DICTUM_FAULT_FIRST");
  settings.count = number("DICTUM_FAULT_COUNT");
  settings.error = number("DICTUM_FAULT_ERROR");
  settings.stall_ms = number("DICTUM_FAULT_STALL_MS");
  settings.is_partial = number("DICTUM_FAULT_PART") != 0;
  if (const char* const log = ::getenv("DICTUM_FAULT_LOG")) {
    settings.log = static_cast<int>(direct(SYS_openat, AT_FDCWD, log, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  }
  settings.call = ::getenv("DICTUM_FAULT_CALL");
}

/// Where a descriptor leads; empty where that is nowhere.
struct Path {
  char text[4200] = {};

  static Path of(int descriptor) {
    Path path;
    char link[64];
    ::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    direct(SYS_readlinkat, AT_FDCWD, link, path.text, sizeof path.text - 1);
    return path;
  }

  static Path of(int folder, const char* name) {
    Path path;
    if (name[0] == '/' || folder == AT_FDCWD) {
      ::snprintf(path.text, sizeof path.text, "%s", name);
    } else {
      path = of(folder);
      const std::size_t length = ::strlen(path.text);
      ::snprintf(path.text + length, sizeof path.text - length, "/%s", name);
    }
    return path;
  }
};

bool is_meant(const char* call) {
  return settings.call != nullptr && ::strcmp(settings.call, call) == 0;
}

void stall() {
  timespec left{settings.stall_ms / 1000, settings.stall_ms % 1000 * 1'000'000L};
  while (direct(SYS_nanosleep, &left, &left) != 0) {
  }
}

struct Hit {
  bool fails = false;
  bool is_first = false;
};

/// Counts a call that is meant, and stalls it where it has to be.
Hit count() {
  struct stat ignored{};
  if (settings.when != nullptr && direct(SYS_newfstatat, AT_FDCWD, settings.when, &ignored, 0) != 0) return {};
  const int now = calls.fetch_add(1) + 1;
  const bool is_hit =
      settings.first > 0 && now >= settings.first && (settings.count == 0 || now < settings.first + settings.count);
  direct(SYS_write, settings.log, is_hit ? "h" : "c", 1);
  if (!is_hit) return {};
  if (settings.error == 0) {
    stall();
    return {};
  }
  errno = settings.error;
  return {.fails = true, .is_first = now == settings.first};
}

bool is_below(const Path& path) {
  const std::size_t length = settings.below != nullptr ? ::strlen(settings.below) : 0;
  return ::strncmp(path.text, settings.below != nullptr ? settings.below : "", length) == 0;
}

Hit hit(const char* call, int descriptor) {
  return is_meant(call) && is_below(Path::of(descriptor)) ? count() : Hit{};
}

bool fails(const char* call, int descriptor) {
  return hit(call, descriptor).fails;
}

bool fails(const char* call, int folder, const char* name) {
  return is_meant(call) && is_below(Path::of(folder, name)) && count().fails;
}

bool fails(const char* call) {
  return is_meant(call) && count().fails;
}

/// Where half of a write is to be written: how much; else 0.
std::size_t part_of(const Hit& hit, std::size_t size) {
  return settings.is_partial && hit.is_first ? size / 2 : 0;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
extern "C" {
#pragma GCC visibility push(default)

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  const Hit found = hit("write", fd);
  if (!found.fails) return real(fd, bytes, size);
  const std::size_t part = part_of(found, size);
  return part > 0 ? real(fd, bytes, part) : -1;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  const Hit found = hit("write", fd);
  if (!found.fails) return real(fd, bytes, size, offset);
  const std::size_t part = part_of(found, size);
  return part > 0 ? real(fd, bytes, part, offset) : -1;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return pwrite(fd, bytes, size, offset);
}

int ftruncate(int fd, off_t size) noexcept {
  static auto* const real = next<int(int, off_t)>("ftruncate");
  return fails("truncate", fd) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
  return ftruncate(fd, size);
}

int fsync(int fd) {
  static auto* const real = next<int(int)>("fsync");
  return fails("sync", fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  static auto* const real = next<int(int)>("fdatasync");
  return fails("sync", fd) ? -1 : real(fd);
}

int rename(const char* from, const char* to) noexcept {
  static auto* const real = next<int(const char*, const char*)>("rename");
  return fails("rename", AT_FDCWD, to) ? -1 : real(from, to);
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static auto* const real = next<int(int, const char*, int, const char*)>("renameat");
  return fails("rename", to_folder, to) ? -1 : real(from_folder, from, to_folder, to);
}

int unlink(const char* name) noexcept {
  static auto* const real = next<int(const char*)>("unlink");
  return fails("remove", AT_FDCWD, name) ? -1 : real(name);
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  static auto* const real = next<int(int, const char*, int)>("unlinkat");
  return fails("remove", folder, name) ? -1 : real(folder, name, flags);
}

int mkdir(const char* name, mode_t mode) noexcept {
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  return fails("folder", AT_FDCWD, name) ? -1 : real(name, mode);
}

int mkdirat(int folder, const char* name, mode_t mode) noexcept {
  static auto* const real = next<int(int, const char*, mode_t)>("mkdirat");
  return fails("folder", folder, name) ? -1 : real(folder, name, mode);
}

int openat(int folder, const char* name, int flags, ...) {
  static auto* const real = next<int(int, const char*, int, ...)>("openat");
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails("open", folder, name) ? -1 : real(folder, name, flags, mode);
}

int openat64(int folder, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return openat(folder, name, flags, mode);
}

int open(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return openat(AT_FDCWD, name, flags, mode);
}

int open64(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return openat(AT_FDCWD, name, flags, mode);
}

long syscall(long which, ...) noexcept {
  static auto* const real = next<Syscall>("syscall");
  va_list more;
  va_start(more, which);
  long a[6];
  for (long& each : a) each = va_arg(more, long);
  va_end(more);
  if (which == SYS_openat2 && fails("open", static_cast<int>(a[0]), reinterpret_cast<const char*>(a[1]))) return -1;
  return real(which, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int pipe2(int ends[2], int flags) noexcept {
  static auto* const real = next<int(int*, int)>("pipe2");
  return fails("descriptor") ? -1 : real(ends, flags);
}

int pipe(int ends[2]) noexcept {
  return pipe2(ends, 0);
}

int socketpair(int domain, int type, int protocol, int ends[2]) noexcept {
  static auto* const real = next<int(int, int, int, int*)>("socketpair");
  return fails("descriptor") ? -1 : real(domain, type, protocol, ends);
}

int eventfd(unsigned value, int flags) noexcept {
  static auto* const real = next<int(unsigned, int)>("eventfd");
  return fails("descriptor") ? -1 : real(value, flags);
}

int epoll_create1(int flags) noexcept {
  static auto* const real = next<int(int)>("epoll_create1");
  return fails("descriptor") ? -1 : real(flags);
}

int timerfd_create(int clock, int flags) noexcept {
  static auto* const real = next<int(int, int)>("timerfd_create");
  return fails("descriptor") ? -1 : real(clock, flags);
}

pid_t fork() noexcept {
  static auto* const real = next<pid_t()>("fork");
  return fails("process") ? -1 : real();
}

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]) {
  static auto* const real = next<int(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                                     char* const[], char* const[])>("posix_spawn");
  return fails("process") ? errno : real(pid, path, actions, attributes, arguments, environment);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept {
  static auto* const real = next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return fails("thread") ? errno : real(thread, attributes, run, argument);
}

#pragma GCC visibility pop
}  // extern "C"
// NOLINTEND(readability-identifier-naming,readability-inconsistent-declaration-parameter-name)
