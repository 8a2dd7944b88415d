#include "recorder/executors.hpp"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace dictum::recorder {
namespace {
constexpr int kThreads = 3;  // one a strand
}

struct WorkThreads::State {
  boost::asio::io_context context{kThreads};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work{
      boost::asio::make_work_guard(context)};
  std::mutex mutex;
  std::condition_variable ended;
  int running = 0;
  std::vector<std::thread> threads;
};

WorkThreads::WorkThreads() : state_(std::make_shared<State>()) {
  try {
    for (int i = 0; i < kThreads; ++i) add_thread();
  } catch (...) {
    join(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    throw;
  }
}

void WorkThreads::add_thread() {
  std::thread thread([state = state_] {
    pthread_setname_np(pthread_self(), "dictum-work");
    state->context.run();
    const std::lock_guard lock(state->mutex);
    --state->running;
    state->ended.notify_all();
  });
  const std::lock_guard lock(state_->mutex);
  ++state_->running;  // the thread cannot have ended: the work guard is there
  state_->threads.push_back(std::move(thread));
}

void WorkThreads::replace_stuck() {
  add_thread();
  add_thread();
}

WorkThreads::~WorkThreads() {
  state_->work.reset();  // what is posted is done still; then the threads end by themselves
  for (std::thread& thread : state_->threads) thread.detach();
}

boost::asio::any_io_executor WorkThreads::executor() const {
  return state_->context.get_executor();
}

void WorkThreads::join(std::chrono::steady_clock::time_point deadline) noexcept {
  if (state_->threads.empty()) return;
  state_->work.reset();
  std::unique_lock lock(state_->mutex);
  const bool all_ended = state_->ended.wait_until(lock, deadline, [this] { return state_->running == 0; });
  lock.unlock();
  if (!all_ended) state_->context.stop();
  for (std::thread& thread : state_->threads) {
    if (all_ended) {
      thread.join();
    } else {
      thread.detach();
    }
  }
  state_->threads.clear();
}

Executors make_executors(const boost::asio::any_io_executor& work) {
  return {.loop = boost::asio::make_strand(work),
          .listen = boost::asio::make_strand(work),
          .disk = boost::asio::make_strand(work)};
}

}  // namespace dictum::recorder
