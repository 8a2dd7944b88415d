#pragma once

#include <signal.h>
#include <spawn.h>

namespace dictum {

/// The options of posix_spawn for a child in a process group of its own, with no signal blocked and none ignored,
/// whatever the host does. Freed with this.
class SpawnOptions {
 public:
  SpawnOptions() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::sigdelset(&signals, SIGKILL);
    ::sigdelset(&signals, SIGSTOP);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnOptions() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;

  /// The child has this descriptor of ours as `place`. Those that are not given one end with the exec.
  void place(int descriptor, int place) { ::posix_spawn_file_actions_adddup2(&actions_, descriptor, place); }

  /// Behind every `place`: the child has none of our descriptors from this one on, also none that others opened without
  /// O_CLOEXEC. But it has `kept`, where that is at least `lowest`.
  void close_from(int lowest, int kept = -1) {
    for (; lowest <= kept; ++lowest) {
      if (lowest < kept) {
        ::posix_spawn_file_actions_addclose(&actions_, lowest);
      } else {
        place(kept, kept);  // without O_CLOEXEC
      }
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, lowest);
  }

  posix_spawn_file_actions_t* actions() { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace dictum
