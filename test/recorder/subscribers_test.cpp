#include "recorder/subscribers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/virtual_time.hpp"

namespace dictum::recorder {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class SubscribersTest : public testing::Test {
 protected:
  using Queue = std::shared_ptr<delivery::EventQueue>;

  Queue add(detail::EventConsumer consumer = {}, EventFilter filter = EventFilter::all()) {
    auto queue = std::make_shared<delivery::EventQueue>(
        filter, std::move(consumer), [](const std::function<void()>&) { return false; }, [](const std::string&) {});
    subscribers.add(queue);
    return queue;
  }

  void publish() {
    subscribers.publish(std::make_shared<const Event>(Event{"s", 0, 0, 0, RecorderFault{"code", "A message.", true}}),
                        std::make_shared<delivery::JournalView>());
  }

  /// Waits for delivery; the time at which that ended, once it has.
  void start_waiting() {
    asio::co_spawn(loop, subscribers.delivered(loop, &time), [this](const std::exception_ptr& error) {
      EXPECT_EQ(error, nullptr);
      delivered_at = time.steady_now().time_since_epoch();
    });
    time.advance(0ms);
  }

  /// Takes what waits for `queue`.
  static void handle(const Queue& queue) {
    while (queue->next()) queue->handled();
  }

  asio::io_context io;
  test::VirtualTime time{io};
  asio::any_io_executor loop = asio::make_strand(io);
  Subscribers subscribers;
  std::optional<std::chrono::nanoseconds> delivered_at;
};

TEST_F(SubscribersTest, EachReceivesEveryEvent) {
  const Queue first = add();
  const Queue second = add();
  publish();
  EXPECT_TRUE(first->next());
  EXPECT_TRUE(second->next());
}

TEST_F(SubscribersTest, ContainsThoseThatWereAddedOnly) {
  const Queue added = add();
  const auto foreign = std::make_shared<delivery::EventQueue>(
      EventFilter::all(), detail::EventConsumer{}, [](const std::function<void()>&) { return false; },
      [](const std::string&) {});
  EXPECT_TRUE(subscribers.contains(added.get()));
  EXPECT_FALSE(subscribers.contains(foreign.get()));
  EXPECT_FALSE(subscribers.contains(nullptr));
}

TEST_F(SubscribersTest, ForgetsAClosedOneWhenTheNextIsAdded) {
  const Queue closed = add();
  closed->close();
  const Queue open = add();
  EXPECT_FALSE(subscribers.contains(closed.get()));
  EXPECT_TRUE(subscribers.contains(open.get()));
}

TEST_F(SubscribersTest, PrepareThrowsWhatASubscriberThrows) {
  add();
  add({.wake = {}, .prepare = [] { throw std::runtime_error("no thread"); }});
  EXPECT_THROW(subscribers.prepare(), std::runtime_error);
}

TEST_F(SubscribersTest, WithoutAnyNothingIsWaitedFor) {
  start_waiting();
  EXPECT_EQ(delivered_at, 0ns);
}

TEST_F(SubscribersTest, OneWithNothingToHandleIsNotWaitedFor) {
  add();
  start_waiting();
  EXPECT_EQ(delivered_at, 0ns);
}

TEST_F(SubscribersTest, DeliveryEndsWhenTheLastOfThemHasHandledItsEvents) {
  const Queue first = add();
  const Queue second = add();
  publish();
  start_waiting();
  EXPECT_FALSE(delivered_at);
  handle(first);
  time.advance(300ms);
  EXPECT_FALSE(delivered_at);
  handle(second);
  time.advance(0ms);
  EXPECT_EQ(delivered_at, 300ms);
}

TEST_F(SubscribersTest, EventsThatComeWhileItWaitsAreNotWaitedFor) {
  const Queue queue = add();
  publish();
  start_waiting();
  publish();
  ASSERT_TRUE(queue->next());
  queue->handled();
  time.advance(0ms);
  EXPECT_EQ(delivered_at, 0ns);
}

TEST_F(SubscribersTest, ASlowOneIsWaitedForTwoSecondsAtMost) {
  const Queue queue = add();
  publish();
  start_waiting();
  time.advance(1999ms);
  EXPECT_FALSE(delivered_at);
  time.advance(1ms);
  EXPECT_EQ(delivered_at, 2s);
  handle(queue);  // long after: nothing waits for it any more
  time.advance(1s);
  EXPECT_EQ(delivered_at, 2s);
}

TEST_F(SubscribersTest, OneThatPollsOrIsClosedIsNotWaitedFor) {
  add({.wake = {}, .prepare = {}, .may_block = true, .is_polled = true});
  const Queue closed = add();
  publish();
  closed->close();
  start_waiting();
  EXPECT_EQ(delivered_at, 0ns);
}

TEST_F(SubscribersTest, StopWaitingEndsAWaitThatIsRunning) {
  add();
  publish();
  start_waiting();
  EXPECT_FALSE(delivered_at);
  subscribers.stop_waiting();
  time.advance(0ms);
  EXPECT_EQ(delivered_at, 0ns);
}

TEST_F(SubscribersTest, TheTimerOfAWaitEndsWithIt) {
  const Queue queue = add();
  publish();
  start_waiting();
  handle(queue);
  time.advance(0ms);
  EXPECT_TRUE(delivered_at);
  EXPECT_EQ(time.running_timers(), 0U);
}

}  // namespace
}  // namespace dictum::recorder
