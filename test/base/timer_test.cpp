#include "base/timer.hpp"

#include <gmock/gmock.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <vector>

#include "support/virtual_time.hpp"

namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(SystemTimer, FiresOnceAfterItsDelay) {
  boost::asio::io_context io;
  const auto timer = SystemTimers().make_timer(io.get_executor());
  const auto begin = std::chrono::steady_clock::now();
  int fired = 0;
  timer->start(10ms, [&] { ++fired; });
  EXPECT_TRUE(timer->is_running());
  io.run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer->is_running());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 10ms);
}

TEST(SystemTimer, DoesNotFireOnceCancelledThoughItsHandlerIsQueued) {
  boost::asio::io_context io;
  const auto first = SystemTimers().make_timer(io.get_executor());
  const auto second = SystemTimers().make_timer(io.get_executor());
  int fired = 0;
  const auto cancel = [&](Timer& other) {
    ++fired;
    other.cancel();
  };
  first->start(0ms, [&] { cancel(*second); });
  second->start(0ms, [&] { cancel(*first); });
  io.run();
  EXPECT_EQ(fired, 1);
}

TEST(SystemTimer, DoesNotFireOnceDestroyed) {
  boost::asio::io_context io;
  auto timer = SystemTimers().make_timer(io.get_executor());
  timer->start(0ms, [] { FAIL(); });
  timer.reset();
  io.run();
}

TEST(SystemTimer, CanBeStartedAgainFromItsOwnHandler) {
  boost::asio::io_context io;
  const auto timer = SystemTimers().make_timer(io.get_executor());
  int fired = 0;
  timer->start(0ms, [&] {
    ++fired;
    timer->start(0ms, [&] { ++fired; });
  });
  io.run();
  EXPECT_EQ(fired, 2);
}

TEST(SystemTimer, TakesTheLongestDelay) {
  boost::asio::io_context io;
  const auto timer = SystemTimers().make_timer(io.get_executor());
  timer->start(std::chrono::nanoseconds::max(), [] { FAIL(); });
  EXPECT_EQ(io.poll(), 0);
  EXPECT_TRUE(timer->is_running());
}

class VirtualTimeTest : public testing::Test {
 protected:
  void start(int number, std::chrono::milliseconds delay) {
    timers_.push_back(time_.make_timer(io_.get_executor()));
    timers_.back()->start(delay,
                          [this, number] { fired_.emplace_back(number, time_.steady_now().time_since_epoch()); });
  }

  boost::asio::io_context io_;
  test::VirtualTime time_{io_};
  std::vector<std::unique_ptr<Timer>> timers_;
  std::vector<std::pair<int, std::chrono::nanoseconds>> fired_;
};

TEST_F(VirtualTimeTest, FiresTimersInTheOrderOfTheirTimesAndOfTheirStarts) {
  start(1, 2h);
  start(2, 1h);
  start(3, 1h);
  time_.advance(1h);
  EXPECT_THAT(fired_, ElementsAre(std::pair(2, 1h), std::pair(3, 1h)));
  EXPECT_EQ(time_.running_timers(), 1);
  time_.advance(2h);
  EXPECT_THAT(fired_, ElementsAre(std::pair(2, 1h), std::pair(3, 1h), std::pair(1, 2h)));
  EXPECT_EQ(time_.steady_now().time_since_epoch(), 3h);
}

TEST_F(VirtualTimeTest, DoesNotFireWhatIsCancelledOrDestroyed) {
  start(1, 1s);
  start(2, 1s);
  start(3, 1s);
  timers_[0]->cancel();
  timers_[1].reset();
  time_.advance(1s);
  EXPECT_THAT(fired_, ElementsAre(std::pair(3, 1s)));
}

TEST_F(VirtualTimeTest, RunsUntilAConditionAndSaysWhereItNeverComes) {
  start(1, 5s);
  EXPECT_TRUE(time_.run_until([&] { return !fired_.empty(); }));
  EXPECT_EQ(time_.steady_now().time_since_epoch(), 5s);
  EXPECT_FALSE(time_.run_until([] { return false; }));
}

TEST_F(VirtualTimeTest, LetsACoroutineWait) {
  const auto timer = time_.make_timer(io_.get_executor());
  bool done = false;
  const auto wait = [&]() -> boost::asio::awaitable<void> {
    co_await async_wait(*timer, 3s, boost::asio::use_awaitable);
    done = true;
  };
  boost::asio::co_spawn(io_, wait(), boost::asio::detached);
  time_.advance(2999ms);
  EXPECT_FALSE(done);
  time_.advance(1ms);
  EXPECT_TRUE(done);
}

TEST_F(VirtualTimeTest, EndsAWaitThatIsCancelledThroughItsSlot) {
  const auto timer = time_.make_timer(io_.get_executor());
  boost::asio::cancellation_signal signal;
  std::optional<boost::system::error_code> result;
  async_wait(*timer, 3s, boost::asio::bind_cancellation_slot(signal.slot(), [&](boost::system::error_code error) {
    result = error;
  }));
  signal.emit(boost::asio::cancellation_type::terminal);
  time_.advance(0s);
  EXPECT_EQ(result, boost::asio::error::operation_aborted);
}

}  // namespace
}  // namespace dictum
