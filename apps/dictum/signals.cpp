#include "signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace dictum::program {

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = UniqueFD(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_ || !woken_) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Signals::Event Signals::wait(std::optional<std::chrono::steady_clock::time_point> until) {
  for (;;) {
    int timeout = -1;
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now()).count();
      if (left <= 0) return Event::timeout;
      timeout = static_cast<int>(std::min<long long>(left, 1 << 30));
    }
    pollfd fds[] = {{signals_.get(), POLLIN, 0}, {woken_.get(), POLLIN, 0}};
    if (poll(fds, 2, timeout) < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    signalfd_siginfo info;
    if (read(signals_.get(), &info, sizeof info) == sizeof info) return Event::signal;
    if (woken_.clear()) return Event::woken;
  }
}

void Signals::wake() {
  woken_.notify();
}

}  // namespace dictum::program
