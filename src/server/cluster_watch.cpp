#include "server/cluster_watch.hpp"

#include <poll.h>

#include <array>
#include <cerrno>

#include "base/child_program.hpp"
#include "base/output_tail.hpp"
#include "base/pipe.hpp"
#include "dictum/error.hpp"

namespace dictum::server {

constexpr std::size_t kMaxStatus = std::size_t{4} << 20;

ClusterWatch::~ClusterWatch() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  ended_.notify();
  if (thread_.joinable()) thread_.join();
}

std::optional<ClusterFigures> ClusterWatch::figures() {
  if (settings_.command.empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  wanted_at_ = Clock::now();
  if (!thread_.joinable() && !is_ending_) thread_ = std::thread([this] { watch(); });
  changed_.notify_all();
  return newest_;
}

void ClusterWatch::watch() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    lock.unlock();
    ClusterFigures figures = read();
    lock.lock();
    newest_ = std::move(figures);
    changed_.wait_for(lock, settings_.interval, [this] { return is_ending_; });
    changed_.wait(lock, [this] { return is_ending_ || Clock::now() - wanted_at_ < settings_.idle_after; });
  }
}

ClusterFigures ClusterWatch::read() const {
  ClusterFigures unreachable{.is_reachable = false, .read_at = Clock::now()};
  Pipe out;
  if (!out) return unreachable;
  set_nonblocking(out.reading);
  ChildProgram program(settings_.command, -1, out.writing.get(), -1, -1, settings_.environment);
  if (program.error() != 0) return unreachable;
  out.writing.reset();
  const auto deadline = Clock::now() + settings_.time_limit;
  std::string text;
  for (bool is_open = true; is_open;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || text.size() > kMaxStatus) return unreachable;
    std::array<pollfd, 2> fds{{{out.reading.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left)) < 0 && errno != EINTR) return unreachable;
    if (fds[1].revents != 0) return unreachable;
    if (fds[0].revents != 0) is_open = drain(out.reading.get(), text, kMaxStatus);
  }
  std::array<pollfd, 2> fds{{{program.ended(), POLLIN, 0}, {ended_.get(), POLLIN, 0}}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0))) <= 0) return unreachable;
  if (fds[0].revents == 0 || program.wait() != 0) return unreachable;
  try {
    ClusterFigures figures = parse_cluster_figures(text);
    figures.read_at = Clock::now();
    return figures;
  } catch (const RecorderError&) {
    return unreachable;
  }
}

}  // namespace dictum::server
