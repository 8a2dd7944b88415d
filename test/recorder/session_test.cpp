#include "recorder/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dictum/scripted_source.hpp"
#include "recorder/stuck_parts.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"
#include "support/virtual_time.hpp"
#include "transcription/custom_runner.hpp"

/// A session by itself, in virtual time, on one thread. Its disk can be made to hang.
namespace dictum::recorder {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What holds up an executor: handlers wait while `hangs`.
struct Gate {
  bool hangs = false;
  std::deque<detail::UniqueFunction<void()>> waiting;
};

/// An executor that can hang.
class GatedExecutor {
 public:
  GatedExecutor(asio::any_io_executor inner, std::shared_ptr<Gate> gate)
      : inner_(std::move(inner)), gate_(std::move(gate)) {}

  template <class Function>
  void execute(Function&& function) const {
    inner_.execute([gate = gate_, function = std::forward<Function>(function)]() mutable {
      if (gate->hangs) {
        gate->waiting.emplace_back([function = std::move(function)]() mutable { std::move(function)(); });
      } else {
        std::move(function)();
      }
    });
  }
  template <class Property>
    requires(asio::can_require<asio::any_io_executor, Property>::value)
  GatedExecutor require(const Property& property) const {
    return {asio::require(inner_, property), gate_};
  }
  template <class Property>
    requires(asio::can_prefer<asio::any_io_executor, Property>::value)
  GatedExecutor prefer(const Property& property) const {
    return {asio::prefer(inner_, property), gate_};
  }
  template <class Property>
    requires(asio::can_query<asio::any_io_executor, Property>::value)
  decltype(auto) query(const Property& property) const {
    return asio::query(inner_, property);
  }
  bool operator==(const GatedExecutor& other) const noexcept { return gate_ == other.gate_ && inner_ == other.inner_; }
  bool operator!=(const GatedExecutor& other) const noexcept { return !(*this == other); }

 private:
  asio::any_io_executor inner_;
  std::shared_ptr<Gate> gate_;
};

class Host final : public SessionHost {
 public:
  Host(Strands strands, RecorderConfig config) : strands_(std::move(strands)), config_(std::move(config)) {}

  Strands strands() const override { return strands_; }
  RecorderConfig config() const override { return config_; }
  std::shared_ptr<transcription::JobRunner> transcriber(const std::optional<transcription::WorkerPoolSettings>&,
                                                        Urgency) override {
    if (!config_.custom_transcriber) return nullptr;
    return std::make_shared<transcription::CustomRunner>(config_.custom_transcriber());
  }
  void state_changed(RecordingState state, const std::filesystem::path&) override {
    states.push_back(state);
    if (state == RecordingState::idle && on_idle) on_idle();
  }
  void replace_strands() override { ++replaced; }
  Subscribers& subscribers() override { return subscribers_; }

  std::vector<RecordingState> states;
  std::function<void()> on_idle;  // before the files are completed
  int replaced = 0;

 private:
  Strands strands_;
  RecorderConfig config_;
  Subscribers subscribers_;
};

class SessionInVirtualTime : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<Script::Line> lines(100, {.text = "a line", .speech_sec = 0.5, .pause_sec = 0.5});
    const Script script(std::move(lines), 0.1);
    config.source = script.source(time);
    config.detector = script.detector();
    config.custom_transcriber = script.transcriber();
    config.vad.min_silence_ms = 128;
    config.session.root = root / "sessions";
  }

  /// Every session ends, once what it waits for answers. One that did not would keep itself alive.
  void TearDown() override {
    if (!session) return;
    host->on_idle = nullptr;
    session->shut_down();
    release(*sync);
    release(*disk);
    EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
  }

  void start() {
    const asio::any_io_executor loop = io.get_executor();
    host = std::make_shared<Host>(Strands{.loop = loop,
                                          .listen = loop,
                                          .disk = GatedExecutor(loop, disk),
                                          .sync = GatedExecutor(loop, sync),
                                          .work = loop},
                                  config);
    events = std::make_shared<delivery::EventQueue>(
        EventFilter::all(), detail::EventConsumer{.wake = [] {}, .may_block = true, .is_polled = true},
        [](const std::function<void()>&) { return false; }, [](const std::string&) {});
    host->subscribers().add(events);
    session = std::make_shared<Session>(host, loop, time, time, Session::Visibility::published);
    asio::co_spawn(loop, session->record(nullptr), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
  }

  void record_for(std::chrono::milliseconds duration) {
    start();
    time->advance(duration);
    ASSERT_EQ(state(), SessionState::recording);
  }

  void release(Gate& gate) {
    gate.hangs = false;
    for (auto& work : std::exchange(gate.waiting, {})) work();
    time->advance(0ms);
  }

  void stop(std::chrono::milliseconds drain = 30s) { session->stop(time->steady_now() + drain); }

  SessionState state() const { return session->lifecycle().state(); }

  /// How long it took until then, in virtual time; empty where it did not come.
  std::optional<std::chrono::nanoseconds> time_until(const std::function<bool()>& condition) {
    const auto began = time->steady_now();
    if (!time->run_until(condition, 1min)) return std::nullopt;
    return time->steady_now() - began;
  }

  std::vector<Event> received() {
    while (auto event = events->next()) {
      received_.push_back(*std::move(event));
      events->handled();
    }
    return received_;
  }

  template <class Body>
  std::vector<Body> received_bodies() {
    std::vector<Body> found;
    for (const Event& event : received()) {
      if (const auto* body = std::get_if<Body>(&event.body)) found.push_back(*body);
    }
    return found;
  }

  asio::io_context io{1};
  std::shared_ptr<test::VirtualTime> time =
      std::make_shared<test::VirtualTime>(io, std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));
  test::TemporaryDirectory root;
  RecorderConfig config;
  std::shared_ptr<Gate> disk = std::make_shared<Gate>();
  std::shared_ptr<Gate> sync = std::make_shared<Gate>();
  std::shared_ptr<Host> host;
  std::shared_ptr<delivery::EventQueue> events;
  std::shared_ptr<Session> session;

 private:
  std::vector<Event> received_;
};

TEST_F(SessionInVirtualTime, RecordsUntilItIsStoppedAndEnds) {
  record_for(5s);
  stop();
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
  EXPECT_THAT(test::grammar_violations(session->path()), IsEmpty());
  EXPECT_THAT(host->states, ElementsAre(RecordingState::starting, RecordingState::recording, RecordingState::stopping,
                                        RecordingState::idle));
}

TEST_F(SessionInVirtualTime, DeliversAnEventOnlyOnceItsJournalLineIsWritten) {
  record_for(1s);
  const auto before = received().size();
  disk->hangs = true;
  time->advance(1s);
  EXPECT_EQ(received().size(), before) << "delivered before it was written";
  release(*disk);
  EXPECT_GT(received().size(), before);
}

TEST_F(SessionInVirtualTime, ASyncThatTakesItsTimeDelaysNoEventAndNoAudio) {
  record_for(1s);
  sync->hangs = true;
  const auto before = received_bodies<TranscriptionComplete>().size();
  time->advance(10s);
  EXPECT_EQ(received_bodies<TranscriptionComplete>().size(), before + 10);
  EXPECT_LE(sync->waiting.size(), 1U) << "syncs pile up";
  stop();
  const auto took = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms) << "the files are complete, if not known to be safe";
  EXPECT_EQ(received().back().sequence.has_value(), true);
  EXPECT_THAT(test::grammar_violations(session->path()), IsEmpty());
}

TEST_F(SessionInVirtualTime, StopsWithinItsBoundThoughTheDiskHangs) {
  record_for(3s);
  disk->hangs = true;
  time->advance(500ms);
  stop();
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms);
  EXPECT_EQ(host->replaced, 1);
  EXPECT_THAT(received_bodies<RecordingStateChanged>().back().state, RecordingState::failed);
  const auto faults = received_bodies<RecorderFault>();
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(faults.front().message, HasSubstr("may be missing"));
}

TEST_F(SessionInVirtualTime, AnEventThatIsNotInTheJournalIsDeliveredWithoutASequence) {
  record_for(3s);
  disk->hangs = true;
  stop();
  ASSERT_TRUE(time_until([&] { return session->lifecycle().is_closed(); }));
  std::size_t from_memory = 0;
  for (const Event& event : received()) {
    if (event.is_ephemeral()) continue;
    if (!event.sequence) ++from_memory;
    if (event.sequence) EXPECT_EQ(from_memory, 0U) << "a sequence behind an event that has none";
  }
  EXPECT_GE(from_memory, 3U) << "stopping, the fault, failed";
}

TEST_F(SessionInVirtualTime, ASecondStopEndsOneThatTheDiskHoldsUp) {
  record_for(3s);
  disk->hangs = true;
  stop();
  time->advance(200ms);
  EXPECT_FALSE(session->lifecycle().is_closed());
  stop(0ms);
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 500ms);
}

TEST_F(SessionInVirtualTime, AStopIsBoundedThoughTheFilesCannotBeCompleted) {
  record_for(3s);
  host->on_idle = [this] { disk->hangs = true; };
  stop();
  time->advance(1s);
  ASSERT_EQ(state(), SessionState::completing);
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 500ms);
  const auto ending = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(ending);
  EXPECT_LE(*ending, 2s);
  EXPECT_THAT(received_bodies<RecorderFault>().back().message, HasSubstr("not known to be safe"));
}

TEST_F(SessionInVirtualTime, ADiskThatIsLateWithTheFilesStillTakesTheLastEvents) {
  record_for(3s);
  host->on_idle = [this] { disk->hangs = true; };
  stop();
  ASSERT_TRUE(time->run_until([&] { return session->lifecycle().is_closed(); }, 2s));
  time->advance(500ms);
  release(*disk);
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
  for (const Event& event : received()) {
    const bool is_fault = std::holds_alternative<RecorderFault>(event.body);  // which is delivered at once, and again
    EXPECT_TRUE(event.sequence || event.is_ephemeral() || is_fault) << event.to_json();
  }
  EXPECT_THAT(test::grammar_violations(session->path()), IsEmpty());
}

TEST_F(SessionInVirtualTime, AStopIsBoundedThoughTheFilesCannotBeClosed) {
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  record_for(3s);
  stop();
  time->advance(1s);
  ASSERT_EQ(state(), SessionState::draining);
  disk->hangs = true;
  session->shut_down();
  const auto took = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms);
}

TEST_F(SessionInVirtualTime, AStopAfterTheEndOfTheInputIsBoundedToo) {
  record_for(1s);
  host->on_idle = [this] { disk->hangs = true; };
  time->advance(10min);
  ASSERT_EQ(state(), SessionState::completing) << "nothing has asked it to give up";
  stop();
  const auto took = time_until([&] { return session->lifecycle().is_closed(); });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1500ms);
}

TEST_F(SessionInVirtualTime, WaitsForTextsAsLongAsTheStopSaysAndThenReportsThem) {
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  record_for(3s);
  stop(20s);
  const auto took = time_until([&] { return session->lifecycle().is_stopped(); });
  EXPECT_EQ(took, 20s);
  EXPECT_THAT(received_bodies<RecorderFault>().back().message, HasSubstr("still to be transcribed"));
  session->shut_down();
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
}

TEST_F(SessionInVirtualTime, PausesAndResumes) {
  record_for(2s);
  std::optional<std::exception_ptr> paused;
  asio::co_spawn(io, session->pause_capture(), [&](std::exception_ptr thrown) { paused = thrown; });
  time->advance(0ms);
  ASSERT_EQ(paused, std::exception_ptr());
  EXPECT_EQ(state(), SessionState::paused);
  std::optional<std::exception_ptr> resumed;
  asio::co_spawn(io, session->resume_capture(), [&](std::exception_ptr thrown) { resumed = thrown; });
  time->advance(0ms);
  EXPECT_EQ(resumed, std::exception_ptr());
  EXPECT_EQ(state(), SessionState::recording);
  stop();
  EXPECT_TRUE(time_until([&] { return state() == SessionState::ended; }));
}

TEST_F(SessionInVirtualTime, APauseThatIsNotAnsweredFailsAfterTenSecondsAndTheRecordingIsAsItWas) {
  record_for(2s);
  disk->hangs = true;
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(io, session->pause_capture(), [&](std::exception_ptr thrown) { ended = thrown; });
  const auto took = time_until([&] { return ended.has_value(); });
  ASSERT_TRUE(took);
  EXPECT_EQ(*took, 10s);
  EXPECT_TRUE(*ended);
  EXPECT_EQ(state(), SessionState::recording);
}

TEST_F(SessionInVirtualTime, AStartThatIsCancelledWhileTheDiskHangsFailsAfterASecond) {
  disk->hangs = true;
  start();
  time->advance(100ms);
  ASSERT_EQ(state(), SessionState::starting);
  session->cancel();
  const auto took = time_until([&] { return state() == SessionState::ended; });
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 1s);
  EXPECT_FALSE(session->has_recorded());
  release(*disk);
  EXPECT_FALSE(std::filesystem::exists(root / "sessions")) << "the disk answered late";
}

}  // namespace
}  // namespace dictum::recorder
