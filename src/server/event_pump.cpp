#include "server/event_pump.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "server/on_pool.hpp"

namespace dictum::server {
namespace {

constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace

struct EventPump::Handle::State {
  explicit State(const boost::asio::any_io_executor& executor) : timer(executor) {}
  boost::asio::steady_timer timer;
  std::uint64_t wakes = 0;
  bool is_stopped = false;
};

void EventPump::Handle::stop() const {
  state_->is_stopped = true;
  state_->timer.cancel();
}

EventPump::EventPump(boost::asio::any_io_executor executor, EventFeed& feed, EventFollower follower,
                     boost::asio::thread_pool& pool, std::chrono::milliseconds heartbeat)
    : feed_(feed),
      follower_(std::move(follower)),
      pool_(pool),
      heartbeat_(heartbeat),
      state_(std::make_shared<Handle::State>(executor)),
      known_(feed.sessions().size()),
      sent_(follower_.position()),
      live_(feed.last_live()) {}

void EventPump::Handle::wake() const {
  ++state_->wakes;
  state_->timer.cancel();
}

boost::asio::awaitable<bool> EventPump::run(Send send) {
  const auto state = state_;
  const EventFeed::Watch watch(feed_, [state] { state->timer.cancel(); }, &sent_);
  bool is_woken = state->wakes > 0;
  while (!state->is_stopped) {
    const std::uint64_t version = feed_.version();
    const std::uint64_t wakes = state->wakes;
    for (; known_ < feed_.sessions().size(); ++known_) follower_.add(feed_.sessions().at(known_).session);
    auto work = [this] { return follower_.read(); };
    EventFollower::Piece piece = co_await on_pool(pool_.get_executor(), std::move(work));
    if (piece.is_end) {
      for (const auto& each : feed_.live_since(live_)) {
        live_ = each->number;
        if (auto line = follower_.live(*each)) piece.events.push_back(std::move(*line));
      }
    }
    if (state->is_stopped) break;
    if ((is_woken || !piece.events.empty()) && !co_await send(piece.events)) co_return false;
    sent_ = follower_.position();
    is_woken = wakes != state->wakes;
    if (!piece.is_end || version != feed_.version() || is_woken) continue;
    if (feed_.is_closed()) co_return true;
    state->timer.expires_after(heartbeat_);
    auto [woken] = co_await state->timer.async_wait(kAwait);
    is_woken = !woken || wakes != state->wakes;
  }
  co_return false;
}

}  // namespace dictum::server
