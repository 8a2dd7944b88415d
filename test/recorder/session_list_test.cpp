#include "recorder/session_list.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>

#include "support/virtual_time.hpp"

namespace dictum::recorder {
namespace {

/// Sessions that nobody runs: each waits until the test cancels it, which ends it.
class SessionListTest : public testing::Test {
 protected:
  Session::Pointer make() {
    return std::make_shared<Session>(std::weak_ptr<SessionHost>(), io.get_executor(), TimeSource{time, time},
                                     Visibility::published);
  }

  boost::asio::io_context io{1};
  std::shared_ptr<test::VirtualTime> time = std::make_shared<test::VirtualTime>(io);
  SessionList list;
};

TEST_F(SessionListTest, TheNewestIsTheLastThatIsRecordedAndHasNotEnded) {
  const auto first = make();
  const auto second = make();
  list.add_recorded(first);
  list.add_recorded(second);
  list.add_resumed(make());
  EXPECT_EQ(list.newest(), second.get());
  second->cancel();
  EXPECT_EQ(list.newest(), first.get());
  first->cancel();
  EXPECT_EQ(list.newest(), nullptr);
}

TEST_F(SessionListTest, OneThatWaitsForAnotherHasNotBegun) {
  list.add_recorded(make());
  EXPECT_EQ(list.begun(), nullptr);
}

TEST_F(SessionListTest, OneThatWaitsForAnotherIsNotBusy) {
  list.add_recorded(make());
  EXPECT_EQ(list.busy(), nullptr);
}

TEST_F(SessionListTest, FindsTheFolderOfASessionUntilItEnds) {
  const auto resumed = make();
  list.add_resumed(resumed);
  EXPECT_EQ(list.of_folder(resumed->path()), resumed.get());
  EXPECT_EQ(list.of_folder("/elsewhere"), nullptr);
  resumed->cancel();
  EXPECT_EQ(list.of_folder(resumed->path()), nullptr);
}

TEST_F(SessionListTest, IsEmptyOnceEverySessionWasRemoved) {
  const auto recorded = make();
  const auto resumed = make();
  list.add_recorded(recorded);
  list.add_resumed(resumed);
  EXPECT_EQ(list.all().size(), 2U);
  list.remove(*recorded);
  EXPECT_FALSE(list.empty());
  list.remove(*resumed);
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace dictum::recorder
