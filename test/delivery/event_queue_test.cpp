#include "delivery/event_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "recorder/cycles.hpp"
#include "session/session_writer.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/processes.hpp"

namespace dictum::delivery {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

template <class Body>
concept CanBeFiltered = requires { EventFilter::only<Body>(); };
static_assert(CanBeFiltered<SpeechEnded> && !CanBeFiltered<int> && !CanBeFiltered<Event>);

/// A session whose journal grows, and the queue of a subscriber that looks when the test says so.
class EventQueueTest : public testing::Test {
 protected:
  std::shared_ptr<EventQueue> make_queue(bool may_block) {
    return std::make_shared<EventQueue>(
        EventFilter::all(), detail::EventConsumer{.wake = [this] { ++wakes; }, .prepare = {}, .may_block = may_block},
        [this](std::function<void()> work) {
          if (nobody_else_is_there) return false;
          elsewhere.push_back(std::move(work));
          return true;
        },
        [](const std::string&) {});
  }

  void push(EventQueue& queue, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const Event event{"session", pushed, 1795363501.0, 0, RecorderFault{"code", "A message of some length.", true}};
      writer.record(event);
      view->written = ++pushed;
      queue.push(std::make_shared<const Event>(event), view);
    }
  }

  void read_elsewhere() {
    for (const auto& work : std::exchange(elsewhere, {})) work();
  }

  std::vector<std::uint64_t> take_all(EventQueue& queue) {
    std::vector<std::uint64_t> sequences;
    for (;;) {
      if (const auto event = queue.next()) {
        sequences.push_back(*event->sequence);
        queue.handled();
      } else if (elsewhere.empty()) {
        return sequences;
      } else {
        read_elsewhere();
      }
    }
  }

  std::vector<std::uint64_t> all() const {
    std::vector<std::uint64_t> sequences(pushed);
    for (std::uint64_t i = 0; i < pushed; ++i) sequences[i] = i;
    return sequences;
  }

  test::TemporaryDirectory root;
  session::SessionWriter writer =
      session::SessionWriter::create(root.path(), std::chrono::sys_days(std::chrono::year(2026) / 11 / 22),
                                     {.sample_rate = 16000, .source = "test", .config = {}});
  std::shared_ptr<JournalView> view = [this] {
    auto made = std::make_shared<JournalView>();
    *made->session.lock() = writer.path();
    return made;
  }();
  std::uint64_t pushed = 0;
  int wakes = 0;
  bool nobody_else_is_there = false;
  std::vector<std::function<void()>> elsewhere;
};

TEST_F(EventQueueTest, WakesASleepingConsumerOnce) {
  const auto queue = make_queue(false);
  push(*queue, 3);
  EXPECT_EQ(wakes, 1);
}

TEST_F(EventQueueTest, KeepsOnlyTheNewestOfEachKindOfEphemeralEventThatWaits) {
  const auto queue = make_queue(false);
  for (const double level : {-30.0, -20.0, -10.0}) {
    Event event{"session", std::nullopt, 1795363501.0, 0, AudioLevel{}};
    std::get<AudioLevel>(event.body).rms_dbfs = level;
    queue->push(std::make_shared<const Event>(event), view);
  }
  EXPECT_EQ(std::get<AudioLevel>(queue->next().value().body).rms_dbfs, -10);
  EXPECT_FALSE(queue->next());
}

TEST_F(EventQueueTest, OfAConsumerThatMayNotBlockHasTheJournalReadElsewhere) {
  const auto queue = make_queue(false);
  push(*queue, 2 * EventQueue::kTail);
  EXPECT_FALSE(queue->next());
  EXPECT_THAT(elsewhere, SizeIs(1));
}

TEST_F(EventQueueTest, WakesTheConsumerOnceWhatWasReadElsewhereIsThere) {
  const auto queue = make_queue(false);
  push(*queue, 2 * EventQueue::kTail);
  EXPECT_FALSE(queue->next());
  push(*queue, 1);
  EXPECT_EQ(wakes, 1) << "woken for what is not its turn";
  read_elsewhere();
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(queue->next()->sequence, 0U);
}

TEST_F(EventQueueTest, GivesEveryEventInOrderWhoeverReadsTheJournal) {
  for (const bool may_block : {false, true}) {
    SCOPED_TRACE(may_block);
    pushed = 0;
    const auto queue = make_queue(may_block);
    writer = session::SessionWriter::create(root.path(), std::chrono::sys_days(std::chrono::year(2026) / 11 / 23),
                                            {.sample_rate = 16000, .source = "test", .config = {}});
    view = std::make_shared<JournalView>();
    *view->session.lock() = writer.path();
    push(*queue, 5 * EventQueue::kTail);
    EXPECT_EQ(take_all(*queue), all());
  }
}

TEST_F(EventQueueTest, IsReadOnTheSpotWhereNobodyElseIsThereAnyLonger) {
  const auto queue = make_queue(false);
  push(*queue, 2 * EventQueue::kTail);
  nobody_else_is_there = true;
  EXPECT_EQ(take_all(*queue), all());
}

TEST_F(EventQueueTest, HasNothingMoreOnceItIsClosedWhileItIsBeingRead) {
  const auto queue = make_queue(false);
  push(*queue, 2 * EventQueue::kTail);
  EXPECT_FALSE(queue->next());
  queue->close();
  read_elsewhere();
  EXPECT_FALSE(queue->next());
}

TEST_F(EventQueueTest, OfAConsumerThatNeverLooksTakesNoMoreMemory) {
  if (transcription::kSanitized) GTEST_SKIP() << "a sanitizer keeps what was freed";
  const auto queue = make_queue(false);
  push(*queue, 4 * EventQueue::kTail);
  const auto before = test::holdings().resident_bytes;
  push(*queue, 50'000);
  EXPECT_LT(test::holdings().resident_bytes, before + (std::size_t{8} << 20));
}

}  // namespace
}  // namespace dictum::delivery
