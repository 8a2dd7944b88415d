#include "base/sigpipe.hpp"

#include <pthread.h>

#include <csignal>

namespace dictum {

void block_sigpipe() noexcept {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace dictum
