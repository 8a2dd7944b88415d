#include "delivery/delivery_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::detail {
namespace {
using namespace std::chrono_literals;
constexpr auto kStuckBound = 2s;
}  // namespace

struct DeliveryThread::State {
  EventCallback callback;
  std::shared_ptr<EventQueue> queue;
  std::mutex mutex;
  std::condition_variable changed;
  bool awake = false;
  bool closing = false;
  bool ended = false;
  std::thread thread;

  static void begin(const std::shared_ptr<State>& state) {
    const std::lock_guard lock(state->mutex);
    if (state->closing || state->thread.joinable()) return;
    try {
      state->thread = std::thread([state] { state->run(); });
    } catch (const std::system_error& error) {
      throw RecorderError(Errc::internal,
                          fmt::format("The system gives no thread to call back on: {}.", error.code().message()));
    }
  }

  void wake() {
    const std::lock_guard lock(mutex);
    awake = true;
    changed.notify_all();
  }

  void run() {
    pthread_setname_np(pthread_self(), "delivery");
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return awake || closing; });
      if (closing) break;
      awake = false;
      lock.unlock();
      deliver();
      lock.lock();
    }
    ended = true;
    changed.notify_all();
  }

  void deliver() {
    while (const auto event = queue->next()) {
      {
        const DeliveryScope scope(queue.get());
        try {
          callback(*event);
        } catch (const std::exception& exception) {
          report(*event, exception.what());
        } catch (...) {
          report(*event, "something that is no std::exception");
        }
      }
      queue->handled();
    }
  }

  void report(const Event& event, const std::string& what) {
    const auto* fault = std::get_if<RecorderFault>(&event.body);
    if (fault != nullptr && fault->code == kCallbackThrew) return;  // else it would report itself for ever
    queue->callback_threw(what);
  }
};

DeliveryThread::DeliveryThread(Engine& engine, EventFilter filter, EventCallback callback, Begins begins)
    : state_(std::make_shared<State>()) {
  state_->callback = std::move(callback);
  if (begins == Begins::at_once) State::begin(state_);
  // The queue keeps these functions and the state keeps the queue: the weak reference is what lets both go.
  const std::weak_ptr weak(state_);
  const std::lock_guard lock(state_->mutex);  // an event may come before we have the queue: `wake` waits for us
  state_->queue = engine.subscribe(filter, {.wake =
                                                [weak] {
                                                  if (const auto state = weak.lock()) state->wake();
                                                },
                                            .prepare =
                                                [weak] {
                                                  if (const auto state = weak.lock()) State::begin(state);
                                                },
                                            .may_block = true});
}

DeliveryThread::~DeliveryThread() {
  end(std::chrono::steady_clock::now() + kStuckBound);
}

void DeliveryThread::end(std::chrono::steady_clock::time_point deadline) noexcept {
  state_->queue->close();
  std::unique_lock lock(state_->mutex);
  state_->closing = true;
  state_->changed.notify_all();
  if (!state_->thread.joinable()) return;
  if (is_current() || !state_->changed.wait_until(lock, deadline, [this] { return state_->ended; })) {
    state_->thread.detach();
    return;
  }
  lock.unlock();
  state_->thread.join();
}

bool DeliveryThread::is_current() const {
  return state_->queue.get() == current_delivery();
}

}  // namespace dictum::detail
