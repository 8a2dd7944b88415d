#include "recorder/journal_tail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

EventPointer event(EventBody body, std::optional<std::uint64_t> sequence) {
  return std::make_shared<const Event>(
      Event{.session = "s", .sequence = sequence, .timestamp = 0, .frame = 0, .body = std::move(body)});
}
EventPointer speech(std::uint64_t sequence) {
  return event(SpeechDetected{}, sequence);
}
EventPointer fault(std::uint64_t sequence) {
  return event(RecorderFault{"disk_full", "Full.", true}, sequence);
}
EventPointer level(float rms) {
  return event(AudioLevel{.rms_dbfs = rms}, std::nullopt);
}

std::vector<std::string> names(const std::vector<EventPointer>& events) {
  std::vector<std::string> found;
  for (const auto& each : events) {
    found.push_back(std::string(each->name()) + (each->sequence ? " " + std::to_string(*each->sequence) : ""));
  }
  return found;
}

class Tail : public testing::Test {
 protected:
  JournalTail tail;
  JournalTail::Time now{};
};

TEST_F(Tail, AnEventIsPublishedOnceItIsWritten) {
  EXPECT_EQ(tail.push(speech(0), now), nullptr);
  EXPECT_EQ(tail.push(speech(1), now), nullptr);
  EXPECT_THAT(names(tail.written(1)), ElementsAre("SpeechDetected 0"));
  EXPECT_THAT(names(tail.written(1)), ElementsAre("SpeechDetected 1"));
  EXPECT_TRUE(tail.is_empty());
}

TEST_F(Tail, AnEphemeralEventWaitsForNothingButItsOrder) {
  EXPECT_NE(tail.push(level(-10), now), nullptr);
  tail.push(speech(0), now);
  EXPECT_EQ(tail.push(level(-20), now), nullptr);
  EXPECT_THAT(names(tail.written(1)), ElementsAre("SpeechDetected 0", "AudioLevel"));
}

TEST_F(Tail, OfTheEphemeralEventsOfAKindOnlyTheNewestWaits) {
  tail.push(speech(0), now);
  for (int i = 0; i < 100; ++i) tail.push(level(static_cast<float>(-i)), now);
  const auto released = tail.written(1);
  ASSERT_EQ(released.size(), 2U);
  EXPECT_FLOAT_EQ(std::get<AudioLevel>(released.back()->body).rms_dbfs, -99);
}

TEST_F(Tail, AFaultIsPublishedAtOnceWithoutItsSequenceWhereTheJournalCannotBeWritten) {
  tail.push(speech(0), now);
  tail.set_blocked(true);
  EXPECT_EQ(tail.push(speech(1), now), nullptr);
  const auto at_once = tail.push(fault(2), now);
  ASSERT_NE(at_once, nullptr);
  EXPECT_EQ(at_once->sequence, std::nullopt);
  EXPECT_THAT(names(tail.written(3)), ElementsAre("SpeechDetected 0", "SpeechDetected 1", "RecorderFault 2"));
}

TEST_F(Tail, AFaultDoesNotWaitBehindAJournalThatDoesNotAnswer) {
  tail.push(speech(0), now);
  EXPECT_EQ(tail.push(fault(1), now + 100ms), nullptr);
  EXPECT_NE(tail.push(fault(2), now + 1s), nullptr);
}

TEST_F(Tail, WhatWaitsIsPublishedWithoutSequencesWhereTheJournalIsGivenUp) {
  tail.push(speech(0), now);
  tail.push(level(-10), now);
  EXPECT_THAT(names(tail.give_up()), ElementsAre("SpeechDetected", "AudioLevel"));
  const auto later = tail.push(speech(1), now);
  ASSERT_NE(later, nullptr);
  EXPECT_EQ(later->sequence, std::nullopt);
  EXPECT_THAT(tail.written(2), IsEmpty()) << "published twice";
}

TEST_F(Tail, KnowsWhenItHoldsTooMuch) {
  for (std::size_t i = 0; i < JournalTail::kMaxEvents; ++i) {
    EXPECT_FALSE(tail.is_full());
    tail.push(speech(i), now);
  }
  EXPECT_TRUE(tail.is_full());
}

}  // namespace
}  // namespace dictum::recorder
