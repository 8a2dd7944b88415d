#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "dictum/detail/engine.hpp"

namespace dictum::detail {

/// What an async event callback does with an event: nothing to wait for, or a coroutine.
using AsyncHandler = UniqueFunction<std::optional<boost::asio::awaitable<void>>(const Event&)>;

/// Makes an AsyncHandler of any callable: whether it is async is decided by what it returns.
template <class Callable>
AsyncHandler to_async_handler(Callable callable) {
  return [callable = std::move(callable)](const Event& event) mutable -> std::optional<boost::asio::awaitable<void>> {
    using Result = std::invoke_result_t<Callable&, const Event&>;
    if constexpr (std::is_same_v<Result, boost::asio::awaitable<void>>) {
      return std::invoke(callable, event);
    } else {
      static_assert(std::is_void_v<Result>, "an event callback returns void or boost::asio::awaitable<void>");
      std::invoke(callable, event);
      return std::nullopt;
    }
  };
}

/// An executor that runs everything inside a DeliveryScope, so that a coroutine callback that calls stop_recording is
/// known to be the one that the stop must not wait for, also after it has been resumed.
class DeliveryExecutor {
 public:
  DeliveryExecutor(boost::asio::any_io_executor inner, std::shared_ptr<EventQueue> queue)
      : inner_(std::move(inner)), queue_(std::move(queue)) {}

  template <class Function>
  void execute(Function&& function) const {
    inner_.execute([queue = queue_, function = std::forward<Function>(function)]() mutable {
      const DeliveryScope scope(queue.get());
      std::move(function)();
    });
  }

  template <class Property>
    requires(boost::asio::can_require<boost::asio::any_io_executor, Property>::value)
  DeliveryExecutor require(const Property& property) const {
    return {boost::asio::require(inner_, property), queue_};
  }
  template <class Property>
    requires(boost::asio::can_prefer<boost::asio::any_io_executor, Property>::value)
  DeliveryExecutor prefer(const Property& property) const {
    return {boost::asio::prefer(inner_, property), queue_};
  }
  template <class Property>
    requires(boost::asio::can_query<boost::asio::any_io_executor, Property>::value)
  decltype(auto) query(const Property& property) const {
    return boost::asio::query(inner_, property);
  }

  bool operator==(const DeliveryExecutor& other) const noexcept {
    return queue_ == other.queue_ && inner_ == other.inner_;
  }
  bool operator!=(const DeliveryExecutor& other) const noexcept { return !(*this == other); }

 private:
  boost::asio::any_io_executor inner_;
  std::shared_ptr<EventQueue> queue_;
};

/// Calls an async callback with the events of one queue, on one executor, awaiting each call before the next.
///
/// Threads: the executor's, one call at a time. Owner: the backend or an AsyncSubscription, and the handlers under way:
/// a callback that awaits what never completes is left behind with the state that it needs.
class AsyncDelivery : public std::enable_shared_from_this<AsyncDelivery> {
 public:
  static std::shared_ptr<AsyncDelivery> make(Engine& engine, boost::asio::any_io_executor executor, EventFilter filter,
                                             AsyncHandler handler) {
    auto delivery = std::shared_ptr<AsyncDelivery>(new AsyncDelivery(std::move(executor), std::move(handler)));
    const std::lock_guard lock(delivery->attaching_);
    delivery->queue_ = engine.subscribe(filter, {.wake = [weak = std::weak_ptr(delivery)] {
                                          const auto self = weak.lock();
                                          if (!self) return;
                                          {
                                            const std::lock_guard attached(self->attaching_);
                                          }
                                          boost::asio::post(self->executor_, [self] { self->deliver(); });
                                        }});
    return delivery;
  }

  /// No call begins from now on.
  void close() { queue_->close(); }

  const EventQueue* queue() const { return queue_.get(); }

 private:
  AsyncDelivery(boost::asio::any_io_executor executor, AsyncHandler handler)
      : executor_(std::move(executor)), handler_(std::move(handler)) {}

  void deliver() {
    // One event a turn of the loop: a burst of events never holds up what else the loop has to do.
    auto event = queue_->next();
    if (!event) return;  // on an executor with several threads the next wake may be running already: touch nothing
    current_ = std::move(event);
    std::optional<boost::asio::awaitable<void>> async;
    try {
      const DeliveryScope scope(queue_.get());
      async = handler_(*current_);
    } catch (...) {
      report(std::current_exception());
    }
    if (!async) {
      done();
      return;
    }
    boost::asio::co_spawn(DeliveryExecutor(executor_, queue_), std::move(*async),
                          [self = shared_from_this()](const std::exception_ptr& thrown) {
                            if (thrown) self->report(thrown);
                            self->done();
                          });
  }

  void done() {
    queue_->handled();
    boost::asio::post(executor_, [self = shared_from_this()] { self->deliver(); });
  }

  void report(const std::exception_ptr& thrown) {
    const auto* fault = std::get_if<RecorderFault>(&current_->body);
    if (fault != nullptr && fault->code == kCallbackThrew) return;  // else it would report itself for ever
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& exception) {
      queue_->callback_threw(exception.what());
    } catch (...) {
      queue_->callback_threw("something that is no std::exception");
    }
  }

  const boost::asio::any_io_executor executor_;
  AsyncHandler handler_;
  std::mutex attaching_;  // held until queue_ is set: an event may come before
  std::shared_ptr<EventQueue> queue_;
  std::optional<Event> current_;  // a coroutine callback holds a reference to it until it is done
};

}  // namespace dictum::detail
