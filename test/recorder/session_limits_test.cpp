#include "recorder/session_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "support/virtual_time.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class SessionLimitsTest : public testing::Test {
 protected:
  boost::asio::io_context io{1};
  std::shared_ptr<test::VirtualTime> time = std::make_shared<test::VirtualTime>(io);
  std::vector<SessionInput> expired;
  SessionLimits limits{{time, time}, io.get_executor(), [this](SessionInput input) { expired.push_back(input); }};
};

TEST_F(SessionLimitsTest, ExpiresOnceAtItsTime) {
  limits.arm(1s);
  time->advance(999ms);
  EXPECT_THAT(expired, IsEmpty());
  time->advance(1h);
  EXPECT_THAT(expired, ElementsAre(SessionInput::limit_expired));
  EXPECT_FALSE(limits.is_armed());
}

TEST_F(SessionLimitsTest, AFurtherLimitShortensTheTimeThatIsLeft) {
  limits.arm(10s);
  limits.arm(1s);
  time->advance(1s);
  EXPECT_THAT(expired, ElementsAre(SessionInput::limit_expired));
}

TEST_F(SessionLimitsTest, AFurtherLimitNeverProlongsTheTimeThatIsLeft) {
  limits.arm(1s);
  limits.arm(10s);
  time->advance(1s);
  EXPECT_THAT(expired, ElementsAre(SessionInput::limit_expired));
}

TEST_F(SessionLimitsTest, ALimitThatWasClearedDoesNotBoundTheNextOne) {
  limits.arm(1s);
  limits.clear();
  limits.arm(10s);
  time->advance(9s);
  EXPECT_THAT(expired, IsEmpty());
}

TEST_F(SessionLimitsTest, ADrainWhoseTimeHasPassedExpiresAtOnce) {
  time->advance(5s);
  limits.arm_drain(time->steady_now() - 1s);
  EXPECT_THAT(expired, IsEmpty());
  time->advance(0s);
  EXPECT_THAT(expired, ElementsAre(SessionInput::drain_expired));
}

TEST_F(SessionLimitsTest, NothingExpiresAfterACancel) {
  limits.arm(1s);
  limits.arm_drain(time->steady_now() + 1s);
  limits.cancel();
  time->advance(1h);
  EXPECT_THAT(expired, IsEmpty());
}

}  // namespace
}  // namespace dictum::recorder
