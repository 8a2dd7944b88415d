#include "server/event_follower.hpp"

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"
#include "wire/event_json.hpp"

namespace dictum::server {
namespace {

using session::SessionWriter;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(ServerSentEvent, IsAnIdAndOneLineOfData) {
  EXPECT_EQ(sse_event({"20261122_154501/7", R"({"event":"X"})"}), "id: 20261122_154501/7\ndata: {\"event\":\"X\"}\n\n");
  EXPECT_EQ(sse_event({"", "{}"}), "data: {}\n\n");
}

TEST(WebSocketEvent, IsTheEnvelopeWithItsIdBeforeTheRest) {
  EXPECT_EQ(websocket_event({"20261122_154501/7", R"({"event":"X"})"}), R"({"id":"20261122_154501/7","event":"X"})");
  EXPECT_EQ(websocket_event({"", R"({"event":"X"})"}), R"({"event":"X"})");
}

std::set<std::string, std::less<>> all_types() {
  std::set<std::string, std::less<>> names;
  for (const EventType& type : event_types()) names.emplace(type.name);
  return names;
}

std::vector<std::string> ids(const std::vector<EventLine>& events) {
  std::vector<std::string> found;
  for (const EventLine& event : events) found.push_back(event.id);
  return found;
}

std::string text(const std::vector<EventLine>& events) {
  std::string all;
  for (const EventLine& event : events) all += sse_event(event);
  return all;
}

class Following : public testing::Test {
 protected:
  Following() { scribe.start(); }

  EventFollower follower(EventCursor cursor) const { return {folder.path(), std::move(cursor), all_types()}; }

  test::TemporaryDirectory folder;
  SessionWriter writer = SessionWriter::create(folder.path(), test::kStarted, test::info());
  test::Scribe scribe{writer};
  const std::string name = writer.name();
};

TEST_F(Following, ReadsWhatIsThereAndThenWhatComes) {
  EventFollower client = follower({{name, 0}});
  EXPECT_EQ(ids(client.read().events), std::vector{name + "/0"});
  EXPECT_THAT(client.read().events, IsEmpty());
  scribe.emit(0, VADModeChanged{VADMode::long_note, 5000});
  const auto piece = client.read();
  EXPECT_EQ(ids(piece.events), std::vector{name + "/1"});
  EXPECT_TRUE(piece.is_end);
}

TEST_F(Following, GoesOnBehindItsPlace) {
  scribe.speak(5000);
  EventFollower client = follower({{name, 2}});
  EXPECT_EQ(ids(client.read().events).front(), name + "/2");
}

TEST_F(Following, PathsAreRelativeToTheSession) {
  scribe.speak(5000);
  const std::string sent = text(follower({{name, 0}}).read().events);
  EXPECT_THAT(sent, HasSubstr(R"("wav_path":"seg_0000.wav")"));
  EXPECT_THAT(sent, Not(HasSubstr(folder.path().string())));
}

TEST_F(Following, WhatIsNotWantedIsPassedOverAndCounted) {
  scribe.speak(5000);
  EventFollower client(folder.path(), {{name, 0}}, {"SpeechEnded"});
  EXPECT_EQ(ids(client.read().events), std::vector{name + "/2"});
}

TEST_F(Following, MemoryIsBoundedHoweverMuchThereIs) {
  constexpr int kEvents = 5000;
  for (int i = 0; i < kEvents; ++i) scribe.emit(0, VADModeChanged{VADMode::long_note, 5000});
  EventFollower client = follower({{name, 0}});
  std::vector<std::string> all;
  for (bool is_end = false; !is_end;) {
    const auto piece = client.read();
    EXPECT_LT(text(piece.events).size(), 2 * EventFollower::kPiece);
    is_end = piece.is_end;
    const auto some = ids(piece.events);
    all.insert(all.end(), some.begin(), some.end());
  }
  ASSERT_EQ(all.size(), kEvents + 1);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], name + "/" + std::to_string(i));
}

TEST_F(Following, AWantedEventBehindManyOthersIsFound) {
  for (std::size_t i = 0; i < 2 * EventFollower::kPieceEvents; ++i) {
    scribe.emit(0, VADModeChanged{VADMode::long_note, 5000});
  }
  scribe.speak(5000);
  EventFollower client(folder.path(), {{name, 0}}, {"SpeechDetected"});
  EXPECT_FALSE(client.read().is_end);
  std::vector<std::string> found;
  for (bool is_end = false; !is_end;) {
    const auto piece = client.read();
    for (const EventLine& event : piece.events) found.push_back(event.id);
    is_end = piece.is_end;
  }
  EXPECT_EQ(found, std::vector{name + "/2001"});
}

TEST_F(Following, TwoSessionsAreReadTogetherAndEachIdIsAPlaceInBoth) {
  EventFollower client = follower({{name, 0}});
  client.read();
  SessionWriter second = SessionWriter::create(folder.path(), test::kStarted + std::chrono::hours(1), test::info());
  test::Scribe next(second);
  client.add(second.name());
  next.start();
  EXPECT_EQ(ids(client.read().events), std::vector{name + "/0," + second.name() + "/0"});
  scribe.emit(0, VADModeChanged{VADMode::long_note, 5000});  // the first one grows on
  EXPECT_EQ(ids(client.read().events), std::vector{name + "/1," + second.name() + "/0"});
}

TEST_F(Following, ASessionThatWasDeletedIsPassedOver) {
  EventFollower client = follower({{"20200101_000000", 3}, {name, 0}});
  EXPECT_THAT(client.read().events, Not(IsEmpty()));
}

TEST_F(Following, FinishedSessionsAreForgotten) {
  EventFollower client = follower({{name, 0}});
  for (int i = 1; i <= 10; ++i) {
    SessionWriter another = SessionWriter::create(folder.path(), test::kStarted + std::chrono::hours(i), test::info());
    test::Scribe(another).start();
    client.add(another.name());
    client.read();
  }
  SessionWriter last = SessionWriter::create(folder.path(), test::kStarted + std::chrono::hours(11), test::info());
  test::Scribe(last).start();
  client.add(last.name());
  const auto all = ids(client.read().events);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_LE(std::ranges::count(all.front(), '/'), static_cast<std::ptrdiff_t>(EventFeed::kOpenSessions) + 1);
}

TEST_F(Following, AnEphemeralEventThatTheClientHasReadPastIsNotSent) {
  EventFeed feed;
  feed.take({.session = name, .sequence = 0, .body = RecordingStateChanged{}});
  feed.take({.session = name, .sequence = {}, .body = TranscriptionPartial{.text = "interim"}});
  EventFollower client = follower({{name, 0}});
  client.read();
  const auto live = feed.live_since(0);
  EXPECT_THAT(client.live(*live.front()).value().json, HasSubstr("interim"));
  scribe.emit(0, VADModeChanged{VADMode::long_note, 5000});
  client.read();
  EXPECT_FALSE(client.live(*live.front()));
}

TEST_F(Following, AFaultThatNoJournalHasIsSentWithoutAnId) {
  EventFeed feed;
  feed.take({.session = name,
             .sequence = {},
             .body = RecorderFault{.code = "disk_full", .message = "The disk is full.", .recoverable = true}});
  const auto fault = follower({{name, 0}}).live(*feed.live_since(0).front());
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->id, "");
  EXPECT_THAT(fault->json, HasSubstr("disk_full"));
}

}  // namespace
}  // namespace dictum::server
