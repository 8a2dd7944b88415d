#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "dictum/detail/completion.hpp"
#include "dictum/detail/engine.hpp"
#include "dictum/event.hpp"
#include "dictum/event_filter.hpp"

namespace dictum {

/// Events to await one by one, for programs that would rather pull than be called:
///
///     EventStream events = backend.events();
///     for (;;) show(co_await events.next());
///
/// Threads: one `next` at a time. Movable; destroying it completes a waiting `next` with `Errc::cancelled`.
class EventStream {
 public:
  EventStream(detail::Engine& engine, boost::asio::any_io_executor executor, EventFilter filter)
      : state_(std::make_shared<State>(std::move(executor))) {
    state_->queue = engine.subscribe(filter, {.wake = [weak = std::weak_ptr(state_)] {
                                       if (const auto state = weak.lock()) state->wake();
                                     }});
  }
  EventStream(EventStream&&) noexcept = default;
  EventStream& operator=(EventStream&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~EventStream() {
    if (!state_) return;
    state_->queue->close();
    state_->give_up();
  }

  /// The next event. Takes any completion token for `void(boost::system::error_code, Event)`. Cancelling it (any type)
  /// completes it with `Errc::cancelled` and loses no event.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto next(Token&& token = {}) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, Event)>(
        [state = state_](auto handler) { State::wait(state, std::move(handler)); }, token);
  }

 private:
  struct State {
    explicit State(boost::asio::any_io_executor e) : executor(std::move(e)) {}

    const boost::asio::any_io_executor executor;
    std::shared_ptr<detail::EventQueue> queue;
    std::mutex mutex;
    detail::UniqueFunction<void(std::optional<Event>)> waiter;  // of a next() that found nothing

    template <class Handler>
    static void wait(const std::shared_ptr<State>& state, Handler handler) {
      auto slot = boost::asio::get_associated_cancellation_slot(handler);
      auto target = boost::asio::prefer(
          boost::asio::any_io_executor(boost::asio::get_associated_executor(handler, state->executor)),
          boost::asio::execution::outstanding_work.tracked);
      detail::UniqueFunction<void(std::optional<Event>)> deliver = [handler = std::move(handler),
                                                                    target = std::move(target)](
                                                                       std::optional<Event> event) mutable {
        const auto allocator = boost::asio::get_associated_allocator(handler);
        const auto executor = std::move(target);
        boost::asio::post(
            executor,
            boost::asio::bind_allocator(allocator, [handler = std::move(handler), event = std::move(event)]() mutable {
              if (auto connected = boost::asio::get_associated_cancellation_slot(handler); connected.is_connected()) {
                connected.clear();
              }
              const boost::system::error_code code = event ? std::error_code() : make_error_code(Errc::cancelled);
              std::move(handler)(code, event ? std::move(*event) : Event());
            }));
      };
      if (slot.is_connected()) {
        slot.assign([weak = std::weak_ptr(state)](boost::asio::cancellation_type type) {
          const auto alive = weak.lock();
          if (alive && type != boost::asio::cancellation_type::none) alive->give_up();
        });
      }
      {
        const std::lock_guard lock(state->mutex);
        state->waiter = std::move(deliver);
      }
      state->wake();
    }

    void wake() {
      detail::UniqueFunction<void(std::optional<Event>)> ready;
      std::optional<Event> event;
      {
        const std::lock_guard lock(mutex);
        if (!waiter) return;
        event = queue->next();
        if (!event) return;
        ready = std::exchange(waiter, nullptr);
      }
      queue->handled();
      ready(std::move(event));
    }

    void give_up() {
      detail::UniqueFunction<void(std::optional<Event>)> ready;
      {
        const std::lock_guard lock(mutex);
        ready = std::exchange(waiter, nullptr);
      }
      if (ready) ready(std::nullopt);
    }
  };

  std::shared_ptr<State> state_;
};

}  // namespace dictum
