#include "server/event_feed.hpp"

#include <gmock/gmock.h>

namespace dictum::server {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

const std::string kFirst = "20261122_154501";
const std::string kSecond = "20261122_160000";
const std::string kForeign = "20261101_000000";

Event journaled(const std::string& session, std::uint64_t sequence) {
  return {.session = session, .sequence = sequence, .body = SpeechDetected{}};
}

Event fault(const std::string& session) {
  return {.session = session,
          .sequence = {},
          .body = RecorderFault{.code = "disk_full", .message = "The disk is full.", .recoverable = true}};
}

Event level(const std::string& session) {
  return {.session = session, .sequence = {}, .body = AudioLevel{}};
}

class Feed : public testing::Test {
 protected:
  Feed() {
    feed.take(journaled(kFirst, 0));
    feed.take(journaled(kFirst, 1));
    feed.take(journaled(kSecond, 0));
    feed.take(journaled(kFirst, 2));  // a text that comes late
  }
  EventFeed feed;
};

TEST_F(Feed, AClientWithoutAPlaceBeginsBehindEverything) {
  EXPECT_THAT(feed.start(std::nullopt), Optional(Eq(EventCursor{{kFirst, 3}, {kSecond, 1}})));
}

TEST_F(Feed, ANumberIsAPlaceInTheNewestSession) {
  EXPECT_THAT(feed.start(EventCursor{{"", 0}}), Optional(Eq(EventCursor{{kFirst, 3}, {kSecond, 0}})));
}

TEST_F(Feed, AClientOfTheFirstSessionReadsTheSecondFromItsStart) {
  EXPECT_THAT(feed.start(EventCursor{{kFirst, 1}}), Optional(Eq(EventCursor{{kFirst, 1}, {kSecond, 0}})));
}

TEST_F(Feed, AClientGoesOnInEverySessionThatItNames) {
  EXPECT_THAT(feed.start(EventCursor{{kFirst, 2}, {kSecond, 1}}), Optional(Eq(EventCursor{{kFirst, 2}, {kSecond, 1}})));
}

TEST_F(Feed, ASessionOfAnotherRunComesFirst) {
  EXPECT_THAT(feed.start(EventCursor{{kForeign, 5}}),
              Optional(Eq(EventCursor{{kForeign, 5}, {kFirst, 0}, {kSecond, 0}})));
}

TEST_F(Feed, OnlyTheNewestSessionsAreFollowedFromNowOn) {
  for (int i = 10; i < 20; ++i) feed.take(journaled("202611" + std::to_string(i) + "_000000", 0));
  EXPECT_THAT(feed.start(std::nullopt), Optional(SizeIs(EventFeed::kOpenSessions)));
}

TEST(EmptyFeed, ANumberNamesNoSession) {
  const EventFeed feed;
  EXPECT_THAT(feed.start(std::nullopt), Optional(IsEmpty()));
  EXPECT_THAT(feed.start(EventCursor{{"", 0}}), Optional(IsEmpty()));
  EXPECT_FALSE(feed.start(EventCursor{{"", 5}}));
}

TEST_F(Feed, OfAnEphemeralEventOnlyTheNewestIsKept) {
  for (int i = 0; i < 1000; ++i) feed.take(level(kSecond));
  const auto live = feed.live_since(0);
  ASSERT_THAT(live, SizeIs(1));
  EXPECT_EQ(live.front()->number, feed.last_live());
  EXPECT_EQ(live.front()->at, (Position{kSecond, 1}));
  EXPECT_THAT(feed.live_since(feed.last_live()), IsEmpty());
}

TEST_F(Feed, FaultsThatNoJournalHasAreKeptInOrderAndBounded) {
  for (std::size_t i = 0; i < EventFeed::kMaxFaults + 10; ++i) {
    feed.take(fault(kSecond));
    feed.take(level(kSecond));
  }
  const auto live = feed.live_since(0);
  ASSERT_THAT(live, SizeIs(EventFeed::kMaxFaults + 1));
  for (std::size_t i = 1; i < live.size(); ++i) EXPECT_LT(live[i - 1]->number, live[i]->number);
}

TEST_F(Feed, EveryEventWakesThoseWhoWatch) {
  int woken = 0;
  {
    const EventFeed::Watch watch(feed, [&] { ++woken; });
    feed.take(level(kSecond));
    feed.close();
  }
  feed.take(level(kSecond));
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(feed.is_closed());
}

TEST(EventTypes, AreAllThatThereAre) {
  EXPECT_THAT(event_types(), SizeIs(std::variant_size_v<EventBody>));
  EXPECT_EQ(event_types().front().name, "RecordingStateChanged");
  EXPECT_TRUE(event_types().back().is_ephemeral);
}

}  // namespace
}  // namespace dictum::server
