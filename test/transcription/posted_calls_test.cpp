#include "transcription/posted_calls.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <optional>

namespace dictum::transcription {
namespace {

class PostedCallsTest : public testing::Test {
 protected:
  boost::asio::io_context io{1};
  std::optional<PostedCalls> posted{io.get_executor()};
  int calls = 0;
};

TEST_F(PostedCallsTest, CallsLaterAndNotFromInside) {
  posted->post([this] { ++calls; });
  EXPECT_EQ(calls, 0);
  io.run();
  EXPECT_EQ(calls, 1);
}

TEST_F(PostedCallsTest, CallsNothingThatIsStillQueuedWhenItIsClosed) {
  posted->post([this] { ++calls; });
  posted->close();
  posted->post([this] { ++calls; });
  io.run();
  EXPECT_EQ(calls, 0);
}

TEST_F(PostedCallsTest, CallsNothingThatIsStillQueuedWhenItIsDestroyed) {
  posted->post([this] { ++calls; });
  posted.reset();
  io.run();
  EXPECT_EQ(calls, 0);
}

TEST_F(PostedCallsTest, MayBeDestroyedByACall) {
  posted->post([this] {
    posted.reset();
    ++calls;
  });
  io.run();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace dictum::transcription
