#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "recorder/condition.hpp"
#include "recorder/session_lifecycle.hpp"

namespace dictum::recorder {

/// Gives what keeps a member of a session: whatever that posts to a strand holds it.
using Keeper = std::function<std::shared_ptr<const void>()>;

/// Runs the steps of one session on other strands, and comes back to the session's own.
///
/// Threads: lives on the `loop` strand. Owner: the session, which each call keeps.
class StrandCalls {
 public:
  /// `changed` wakes the session; `lifecycle` says whether it was abandoned.
  StrandCalls(Keeper keep, boost::asio::any_io_executor loop, Condition& changed, const SessionLifecycle& lifecycle)
      : keep_(std::move(keep)), loop_(std::move(loop)), changed_(changed), lifecycle_(lifecycle) {}

  /// Runs `work` on `strand`; throws what it throws. Empty where the strand was left behind meanwhile: `work` may still
  /// be running then, and owns what it needs.
  template <class Work>
  boost::asio::awaitable<std::optional<std::invoke_result_t<Work&>>> on(boost::asio::any_io_executor strand,
                                                                        Work work) {
    struct Call {
      std::optional<std::invoke_result_t<Work&>> result;
      std::exception_ptr thrown;
      bool has_ended = false;
    };
    const auto call = std::make_shared<Call>();
    boost::asio::post(strand, [this, owner = keep_(), call, work = std::move(work)]() mutable {
      try {
        call->result.emplace(work());
      } catch (...) {
        call->thrown = std::current_exception();
      }
      boost::asio::post(loop_, [this, owner, call] {
        call->has_ended = true;
        changed_.notify();
      });
    });
    const int before = abandonments_;
    while (!call->has_ended && abandonments_ == before && !lifecycle_.is_abandoned()) co_await changed_.wait();
    if (!call->has_ended) co_return std::nullopt;
    if (call->thrown) std::rethrow_exception(call->thrown);
    co_return std::move(call->result);
  }

  /// The strands do not answer: no call that is under way waits any longer.
  void leave_behind() { ++abandonments_; }

  const boost::asio::any_io_executor& loop() const { return loop_; }
  const SessionLifecycle& lifecycle() const { return lifecycle_; }

  /// Returns once something has changed.
  boost::asio::awaitable<void> changed() { return changed_.wait(); }

  /// Reports a change, as long as there is a session. On `loop`.
  std::function<void()> notifier() {
    return [this, weak = std::weak_ptr(keep_())] {
      if (const auto owner = weak.lock()) changed_.notify();
    };
  }

 private:
  const Keeper keep_;
  const boost::asio::any_io_executor loop_;
  Condition& changed_;
  const SessionLifecycle& lifecycle_;
  int abandonments_ = 0;
};

}  // namespace dictum::recorder
