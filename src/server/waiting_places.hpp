#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <utility>

#include "server/places.hpp"

namespace dictum::server {

/// Places for which others wait, until one is given back.
///
/// Thread: the loop's. Owner: the server; it outlives those that wait.
class WaitingPlaces {
 public:
  WaitingPlaces(const boost::asio::any_io_executor& loop, std::size_t limit)
      : places_(limit), freed_(loop, boost::asio::steady_timer::time_point::max()) {
    places_.set_on_free([this] { freed_.cancel(); });
  }
  ~WaitingPlaces() { places_.set_on_free(nullptr); }
  WaitingPlaces(const WaitingPlaces&) = delete;
  WaitingPlaces& operator=(const WaitingPlaces&) = delete;

  boost::asio::awaitable<Places::Place> take() {
    for (;;) {
      if (auto place = places_.take()) co_return std::move(*place);
      co_await freed_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
  }

 private:
  Places places_;
  boost::asio::steady_timer freed_;  // never expires; cancelled where a place is free
};

}  // namespace dictum::server
