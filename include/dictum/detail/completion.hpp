#pragma once

// GCC 12 destroys the temporaries of a co_await expression twice, without a warning, so a coroutine that awaits a
// recorder would crash. The blocking flavour and C have no coroutines.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#error "Dictum's awaited flavour needs GCC 13 or newer, or clang 16 or newer: older GCC miscompiles coroutines."
#endif

#if __has_include("dictum/detail/built_with.hpp")
#include "dictum/detail/built_with.hpp"
#endif

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "dictum/detail/engine.hpp"

namespace dictum::detail {

/// With `work`, a pool of the caller's, in place of threads of our own where it is not empty.
DICTUM_API std::shared_ptr<Engine> make_engine(RecorderConfig config, boost::asio::any_io_executor work);

/// The sentence of the newest error, for `last_error()`. Shared with completions that outlive the backend.
class LastError {
 public:
  void keep(std::string sentence) {
    const std::lock_guard lock(mutex_);
    sentence_ = std::move(sentence);
  }
  std::string get() const {
    const std::lock_guard lock(mutex_);
    return sentence_;
  }

 private:
  mutable std::mutex mutex_;
  std::string sentence_;
};

/// An Asio handler on its way: called once, on its associated executor (or else the backend's) and nowhere else, with
/// its associated allocator, never from inside the call that began the operation. Until then its executor has work
/// outstanding. `Handler` takes an error_code.
template <class Handler>
class PendingHandler : public std::enable_shared_from_this<PendingHandler<Handler>> {
 public:
  PendingHandler(Handler handler, const boost::asio::any_io_executor& executor, std::shared_ptr<LastError> last_error)
      : handler_(std::move(handler)),
        executor_(
            boost::asio::prefer(boost::asio::any_io_executor(boost::asio::get_associated_executor(handler_, executor)),
                                boost::asio::execution::outstanding_work.tracked)),
        last_error_(std::move(last_error)) {}

  /// Calls `react` on the handler's executor when its operation is cancelled.
  template <class React>
  void on_cancel(React react) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (!slot.is_connected()) return;
    slot.assign([weak = this->weak_from_this(), react = std::move(react)](boost::asio::cancellation_type type) mutable {
      const auto self = weak.lock();
      if (self && type != boost::asio::cancellation_type::none) react(*self);
    });
  }

  /// Calls the handler; the second call does nothing.
  void complete(Outcome outcome) {
    if (completed_.exchange(true)) return;
    last_error_->keep(outcome.code ? std::move(outcome.sentence) : std::string());
    const boost::system::error_code code =
        cancelled_ && !outcome.code ? make_error_code(Errc::cancelled) : outcome.code;
    auto target = std::move(executor_);
    const auto allocator = boost::asio::get_associated_allocator(handler_);
    boost::asio::post(target, boost::asio::bind_allocator(allocator, [self = this->shared_from_this(), code]() mutable {
                        // Here, where a cancellation would come: slots are not for two threads.
                        Handler handler = std::move(self->handler_);
                        self.reset();
                        if (auto slot = boost::asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
                          slot.clear();
                        }
                        std::move(handler)(code);
                      }));
  }

  /// Whatever comes, the operation completes with `cancelled`.
  void mark_cancelled() { cancelled_ = true; }

 private:
  Handler handler_;
  boost::asio::any_io_executor executor_;
  const std::shared_ptr<LastError> last_error_;
  std::atomic<bool> completed_{false};
  std::atomic<bool> cancelled_{false};
};

}  // namespace dictum::detail
