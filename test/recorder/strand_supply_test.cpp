#include "recorder/strand_supply.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>

#include "dictum/error.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;

void ignore(const std::exception_ptr& /*thrown*/) {}

/// Whether there are strands.
bool has_strands(const StrandSupply& supply) {
  try {
    supply.strands();
    return true;
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::cancelled);
    return false;
  }
}

TEST(StrandSupply, HasNoStrandsBeforeTheFirstCallThatNeedsThem) {
  StrandSupply supply({});
  EXPECT_FALSE(supply.begin_call());
  EXPECT_FALSE(supply.post_to_disk([] {}));
  EXPECT_FALSE(has_strands(supply));
  supply.begin_first_call(ignore);
  EXPECT_TRUE(supply.begin_call());
  EXPECT_TRUE(has_strands(supply));
}

TEST(StrandSupply, GivesThreadsBackOnceNoCallIsUnderWay) {
  StrandSupply supply({});
  supply.begin_first_call(ignore);
  supply.begin_call();
  int released = 0;
  const auto release = [&] { ++released; };
  EXPECT_FALSE(supply.give_back(release));
  supply.end_call();
  EXPECT_FALSE(supply.give_back(release));
  supply.end_call();
  EXPECT_EQ(released, 0);
  EXPECT_TRUE(supply.give_back(release));
  EXPECT_EQ(released, 1);
  EXPECT_FALSE(has_strands(supply));
}

TEST(StrandSupply, MakesOthersAfterThreadsWereGivenBack) {
  StrandSupply supply({});
  supply.begin_first_call(ignore);
  supply.end_call();
  ASSERT_TRUE(supply.give_back([] {}));
  supply.begin_first_call(ignore);
  EXPECT_TRUE(has_strands(supply));
}

TEST(StrandSupply, KeepsThreadsOfWhichSomeWereReplaced) {
  StrandSupply supply({});
  supply.begin_first_call(ignore);
  supply.end_call();
  supply.replace();
  EXPECT_FALSE(supply.give_back([] {}));
}

TEST(StrandSupply, KeepsTheStrandsOverAPoolOfTheCallers) {
  boost::asio::io_context io;
  StrandSupply supply(io.get_executor());
  supply.begin_first_call(ignore);
  supply.end_call();
  EXPECT_FALSE(supply.give_back([] {}));
  EXPECT_TRUE(has_strands(supply));
}

TEST(StrandSupply, ReplacesEveryStrandButTheLoop) {
  boost::asio::io_context io;
  StrandSupply supply(io.get_executor());
  supply.begin_first_call(ignore);
  const Strands before = supply.strands();
  supply.replace();
  const Strands after = supply.strands();
  EXPECT_EQ(before.loop, after.loop);
  EXPECT_NE(before.listen, after.listen);
  EXPECT_NE(before.disk, after.disk);
}

TEST(StrandSupply, MakesNoneAfterTheShutDown) {
  StrandSupply supply({});
  EXPECT_FALSE(supply.shut_down());
  EXPECT_TRUE(supply.is_shut_down());
  EXPECT_THROW(supply.begin_first_call(ignore), RecorderError);
}

TEST(StrandSupply, TheShutDownHasOneLastCall) {
  StrandSupply supply({});
  supply.begin_first_call(ignore);
  EXPECT_TRUE(supply.shut_down());
  EXPECT_FALSE(supply.shut_down());
  supply.join(std::chrono::steady_clock::now() + 5s);
  EXPECT_FALSE(has_strands(supply));
}

}  // namespace
}  // namespace dictum::recorder
