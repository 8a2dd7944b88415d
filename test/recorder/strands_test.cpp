#include "recorder/strands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace dictum::recorder {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The strands over an `io_context` of the test's thread: what is posted runs when the test says so.
class StrandsTest : public testing::Test {
 protected:
  void run() {
    io.restart();
    io.poll();
  }
  std::vector<asio::any_io_executor> all() const {
    return {strands.loop, strands.listen, strands.disk, strands.sync, strands.work};
  }

  asio::io_context io;
  std::vector<std::string> thrown;
  Strands strands = make_strands(io.get_executor(), [this](const std::exception_ptr& exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& error) {
      thrown.emplace_back(error.what());
    }
  });
};

TEST_F(StrandsTest, WhatAHandlerThrowsIsReportedFromEveryStrand) {
  int count = 0;
  for (const auto& strand : all()) {
    asio::post(strand, [number = count++] { throw std::runtime_error(std::to_string(number)); });
  }
  run();
  EXPECT_THAT(thrown, testing::UnorderedElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(StrandsTest, AStrandContinuesBehindAHandlerThatThrew) {
  std::vector<int> ran;
  asio::post(strands.loop, [&] { ran.push_back(1); });
  asio::post(strands.loop, [] { throw std::bad_alloc(); });
  asio::post(strands.loop, [&] { ran.push_back(2); });
  run();
  EXPECT_THAT(ran, ElementsAre(1, 2));
  EXPECT_THAT(thrown, SizeIs(1));
}

TEST_F(StrandsTest, AHandlerThatWasStoredWithAnExecutorOfOtherPropertiesIsGuardedToo) {
  const auto tracked = asio::prefer(strands.disk, asio::execution::outstanding_work.tracked);
  const auto untracked = asio::require(strands.disk, asio::execution::blocking.never);
  asio::post(tracked, [] { throw std::runtime_error("tracked"); });
  asio::post(untracked, [] { throw std::runtime_error("never blocking"); });
  run();
  EXPECT_THAT(thrown, ElementsAre("tracked", "never blocking"));
}

TEST_F(StrandsTest, ADispatchWithinAStrandRunsAtOnce) {
  std::vector<int> ran;
  asio::post(strands.loop, [&] {
    asio::dispatch(strands.loop, [&] { ran.push_back(1); });
    asio::dispatch(strands.disk, [&] { ran.push_back(3); });
    ran.push_back(2);
  });
  run();
  EXPECT_EQ(ran.front(), 1);
  EXPECT_THAT(ran, SizeIs(3));
}

TEST_F(StrandsTest, ACoroutineMovesFromStrandToStrand) {
  std::vector<bool> on_its_strand;
  asio::co_spawn(
      strands.loop,
      [&]() -> asio::awaitable<void> {
        for (const auto& strand : all()) {
          co_await asio::co_spawn(
              strand,
              [&]() -> asio::awaitable<void> { on_its_strand.push_back(co_await asio::this_coro::executor == strand); },
              asio::use_awaitable);
        }
      },
      [this](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
        thrown.emplace_back("done");
      });
  run();
  EXPECT_THAT(on_its_strand, ElementsAre(true, true, true, true, true));
  EXPECT_THAT(thrown, ElementsAre("done"));
}

TEST_F(StrandsTest, NewStrandsTakeTheirPlaceBesideThoseThatAreStuck) {
  const Strands stuck = strands;
  renew(strands);
  EXPECT_EQ(strands.loop, stuck.loop);
  EXPECT_NE(strands.listen, stuck.listen);
  EXPECT_NE(strands.disk, stuck.disk);
  EXPECT_NE(strands.sync, stuck.sync);
  asio::post(strands.disk, [] { throw std::runtime_error("new"); });
  run();
  EXPECT_THAT(thrown, ElementsAre("new"));
}

TEST_F(StrandsTest, AnOwnedObjectIsDestroyedOnItsStrand) {
  struct Object {
    ~Object() { *destroyed = true; }
    bool* destroyed;
  };
  bool destroyed = false;
  auto object = owned_by_strand(strands.disk, std::make_unique<Object>(&destroyed));
  object.reset();
  EXPECT_FALSE(destroyed);
  run();
  EXPECT_TRUE(destroyed);
  EXPECT_THAT(thrown, IsEmpty());
}

TEST(WorkThreads, JoinReturnsWhenWhatWasPostedIsDone) {
  std::atomic<int> ran = 0;
  WorkThreads threads;
  const Strands strands = threads.make_strands([](const std::exception_ptr&) {});
  for (const auto& strand : {strands.loop, strands.listen, strands.disk, strands.sync}) {
    for (int i = 0; i < 10; ++i) asio::post(strand, [&ran] { ++ran; });
  }
  threads.join(std::chrono::steady_clock::now() + 1min);
  EXPECT_EQ(ran, 40);
}

TEST(WorkThreads, JoinLeavesAThreadBehindThatIsStuckAndWhatItRunsOnLives) {
  std::promise<void> begun;
  std::promise<void> released;
  std::promise<void> done;
  {
    WorkThreads threads;
    const Strands strands = threads.make_strands([](const std::exception_ptr&) {});
    asio::post(strands.disk, [&, disk = strands.disk] {
      begun.set_value();
      released.get_future().wait();
      asio::post(disk, [&] { done.set_value(); });
    });
    begun.get_future().wait();
    threads.join(std::chrono::steady_clock::now());
  }
  released.set_value();
  done.get_future().wait();
}

TEST(WorkThreads, ThreadsThatReplaceStuckOnesDoTheWork) {
  std::promise<void> released;
  const std::shared_future<void> release = released.get_future().share();
  WorkThreads threads;
  const Strands strands = threads.make_strands([](const std::exception_ptr&) {});
  for (const auto& strand : {strands.listen, strands.disk, strands.sync})
    asio::post(strand, [release] { release.wait(); });
  asio::post(strands.work, [release] { release.wait(); });  // four: one a thread
  threads.replace_stuck();
  std::promise<void> done;
  asio::post(strands.loop, [&] { done.set_value(); });
  done.get_future().wait();
  released.set_value();
  threads.join(std::chrono::steady_clock::now() + 1min);
}

}  // namespace
}  // namespace dictum::recorder
