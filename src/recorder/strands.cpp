#include "recorder/strands.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::recorder {
namespace {

constexpr int kThreads = 4;  // one a strand

/// What every strand over the same work shares, until the last of them is gone.
struct Base {
  std::shared_ptr<const void> threads;  // null where the work is a pool of the caller's
  ExceptionHandler on_exception;
};
using BasePointer = std::shared_ptr<const Base>;

/// An executor whose handlers may throw, and which keeps what it runs on: whoever holds a strand, for however long,
/// holds no memory that is gone.
class GuardedExecutor {
 public:
  GuardedExecutor(BasePointer base, boost::asio::any_io_executor inner)
      : base_(std::move(base)), inner_(std::move(inner)) {}

  template <class Function>
  void execute(Function&& function) const {
    // What it runs on may be left by the last other holder before the function below returns.
    const BasePointer kept = base_;
    inner_.execute([base = base_, function = std::forward<Function>(function)]() mutable {
      try {
        std::move(function)();
      } catch (...) {
        base->on_exception(std::current_exception());
      }
    });
  }

  template <class Property>
    requires(boost::asio::can_require<boost::asio::any_io_executor, Property>::value)
  GuardedExecutor require(const Property& property) const {
    return {base_, boost::asio::require(inner_, property)};
  }
  template <class Property>
    requires(boost::asio::can_prefer<boost::asio::any_io_executor, Property>::value)
  GuardedExecutor prefer(const Property& property) const {
    return {base_, boost::asio::prefer(inner_, property)};
  }
  template <class Property>
    requires(boost::asio::can_query<boost::asio::any_io_executor, Property>::value)
  decltype(auto) query(const Property& property) const {
    return boost::asio::query(inner_, property);
  }

  bool operator==(const GuardedExecutor& other) const noexcept {
    return base_ == other.base_ && inner_ == other.inner_;
  }
  bool operator!=(const GuardedExecutor& other) const noexcept { return !(*this == other); }

 private:
  BasePointer base_;  // before what it keeps, which is destroyed first
  boost::asio::any_io_executor inner_;
};

Strands strands_over(const boost::asio::any_io_executor& work, Base base) {
  const boost::asio::any_io_executor guarded = GuardedExecutor(std::make_shared<const Base>(std::move(base)), work);
  return {.loop = boost::asio::make_strand(guarded),
          .listen = boost::asio::make_strand(guarded),
          .disk = boost::asio::make_strand(guarded),
          .sync = boost::asio::make_strand(guarded),
          .work = guarded};
}

}  // namespace

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
  } catch (const std::system_error& error) {
    join(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    throw RecorderError(Errc::internal,
                        fmt::format("The system gives no thread to record on: {}.", error.code().message()));
  }
}

void WorkThreads::add_thread() {
  const std::lock_guard lock(state_->mutex);  // held until the thread is counted, however soon it ends
  if (!state_->work) return;
  state_->threads.emplace_back([state = state_] {
    pthread_setname_np(pthread_self(), "dictum-work");
    state->context.run();
    const std::lock_guard ending(state->mutex);
    --state->running;
    state->ended.notify_all();
  });
  ++state_->running;
}

void WorkThreads::replace_stuck() noexcept {
  try {
    add_thread();
    add_thread();
  } catch (const std::system_error&) {
    // The system gives no thread: the remaining threads do the work of all.
  }
}

WorkThreads::~WorkThreads() {
  for (std::thread& thread : close()) thread.detach();  // what is posted is done still; then they end by themselves
}

std::vector<std::thread> WorkThreads::close() noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->work.reset();
  return std::exchange(state_->threads, {});
}

void WorkThreads::join(std::chrono::steady_clock::time_point deadline) noexcept {
  std::vector<std::thread> threads = close();
  std::unique_lock lock(state_->mutex);
  const bool all_ended = state_->ended.wait_until(lock, deadline, [this] { return state_->running == 0; });
  lock.unlock();
  for (std::thread& thread : threads) {
    if (all_ended) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

Strands WorkThreads::make_strands(ExceptionHandler on_exception) const {
  return strands_over(state_->context.get_executor(), {.threads = state_, .on_exception = std::move(on_exception)});
}

Strands make_strands(const boost::asio::any_io_executor& work, ExceptionHandler on_exception) {
  return strands_over(work, {.threads = nullptr, .on_exception = std::move(on_exception)});
}
void renew(Strands& strands) {
  strands.listen = boost::asio::make_strand(strands.work);
  strands.disk = boost::asio::make_strand(strands.work);
  strands.sync = boost::asio::make_strand(strands.work);
}

}  // namespace dictum::recorder
