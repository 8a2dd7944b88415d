#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace dictum::server {

/// Does `work` where it may block, and goes on where it was awaited. It is not cancelled, so what it refers to is
/// there.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> on_pool(boost::asio::thread_pool::executor_type pool, Work work) {
  namespace asio = boost::asio;
  using Result = std::invoke_result_t<Work&>;
  auto task = [work = std::move(work)]() mutable -> asio::awaitable<Result> { co_return work(); };
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(pool, std::move(task), std::move(token));
}

}  // namespace dictum::server
