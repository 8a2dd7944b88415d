#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "recorder/event_log.hpp"
#include "recorder/flavours.hpp"
#include "recorder/recordings.hpp"
#include "recorder/stuck_parts.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"

namespace dictum {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Event> journaled(const std::vector<Event>& events) {
  std::vector<Event> kept;
  for (const Event& event : events) {
    if (!event.is_ephemeral()) kept.push_back(event);
  }
  return kept;
}

bool is_gapless(const std::vector<Event>& events) {
  std::uint64_t expected = 0;
  for (const Event& event : journaled(events)) {
    if (event.sequence != expected++) return false;
  }
  return true;
}

/// A recording with so many segments that its events do not fit what waits in memory for one subscriber.
RecorderConfig chatty(const std::filesystem::path& root) {
  std::vector<Script::Line> lines(400, {.text = "word", .speech_sec = 0.3, .pause_sec = 0.3});
  const Script script(std::move(lines));
  RecorderConfig config;
  config.source = script.source();
  config.detector = script.detector();
  config.custom_transcriber = script.transcriber();
  config.vad.min_silence_ms = 128;
  config.session.root = root;
  return config;
}

template <class F>
class Delivery : public testing::Test {
 protected:
  test::TemporaryDirectory root;
  test::EventLog log;
};

using Flavours = testing::Types<test::BlockingFlavour, test::AsyncFlavour>;
TYPED_TEST_SUITE(Delivery, Flavours, test::FlavourNames);

TYPED_TEST(Delivery, EventsComeInOrderWithoutAHole) {
  TypeParam recorder(test::scripted(this->root.path()), [this](const Event& event) { this->log.add(event); });
  ASSERT_FALSE(recorder.start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  recorder.stop();
  EXPECT_TRUE(is_gapless(this->log.all()));
}

TYPED_TEST(Delivery, ACallbackIsNeverCalledTwiceAtOnce) {
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  {
    TypeParam recorder(chatty(this->root.path()), [&](const Event& event) {
      if (inside.fetch_add(1) != 0) overlapped = true;
      this->log.add(event);
      inside.fetch_sub(1);
    });
    ASSERT_FALSE(recorder.start());
    ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
    recorder.stop();
  }
  EXPECT_FALSE(overlapped);
}

TYPED_TEST(Delivery, ACallbackThatThrowsIsReportedAndGoesOnBeingCalled) {
  TypeParam recorder(test::scripted(this->root.path()), [this](const Event& event) {
    this->log.add(event);
    if (std::holds_alternative<SpeechDetected>(event.body)) throw std::runtime_error("no room on the screen");
  });
  ASSERT_FALSE(recorder.start());
  ASSERT_TRUE(this->log.template wait_for<RecorderFault>(3));
  recorder.stop();
  EXPECT_THAT(this->log.template bodies<RecorderFault>().front().message, HasSubstr("no room on the screen"));
  EXPECT_EQ(this->log.template bodies<TranscriptionComplete>().size(), 3U);
}

TYPED_TEST(Delivery, ACallbackThatThrowsAtEverythingDoesNotReportItsOwnReports) {
  TypeParam recorder(test::scripted(this->root.path()), [this](const Event& event) {
    this->log.add(event);
    throw std::runtime_error("always");
  });
  ASSERT_FALSE(recorder.start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  recorder.stop();
  const auto events = journaled(this->log.all()).size();
  const auto reports = this->log.template bodies<RecorderFault>().size();
  EXPECT_LE(reports, this->log.all().size() - reports);
  EXPECT_GT(events, reports);
}

TYPED_TEST(Delivery, ASubscriberThatLagsGetsEveryEventFromTheJournal) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  TypeParam recorder(chatty(this->root.path()));
  test::EventLog quick;
  const auto quick_one = recorder.subscribe(EventFilter::all(), [&](const Event& event) { quick.add(event); });
  // A loop of one thread has no other to run the quick subscriber on, so there the slow one waits without blocking it.
  std::atomic<bool> waited{false};
  const auto slow_one = recorder.subscribe(EventFilter::journaled(), [&, released](const Event& event) {
    if constexpr (!TypeParam::kMayStopInsideACallback) {
      if (!waited.exchange(true)) released.wait();
    }
    this->log.add(event);
  });
  ASSERT_FALSE(recorder.start());
  ASSERT_TRUE(quick.wait_for_state(RecordingState::idle));
  release.set_value();
  ASSERT_TRUE(this->log.template wait_for<TranscriptionComplete>(400));
  recorder.stop();
  EXPECT_TRUE(is_gapless(this->log.all()));
  EXPECT_EQ(journaled(this->log.all()), journaled(quick.all()));
}

TYPED_TEST(Delivery, AFilterLetsThroughWhatItNames) {
  TypeParam recorder(test::scripted(this->root.path()), [this](const Event& event) { this->log.add(event); });
  test::EventLog filtered;
  const auto subscription =
      recorder.subscribe(EventFilter::only<SpeechEnded>(), [&](const Event& event) { filtered.add(event); });
  ASSERT_FALSE(recorder.start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  recorder.stop();
  EXPECT_EQ(filtered.all().size(), 3U);
  EXPECT_EQ(filtered.template bodies<SpeechEnded>().size(), 3U);
}

TYPED_TEST(Delivery, ASubscriptionThatIsGoneIsNotCalled) {
  TypeParam recorder(test::scripted(this->root.path()), [this](const Event& event) { this->log.add(event); });
  test::EventLog gone;
  {
    const auto subscription = recorder.subscribe(EventFilter::all(), [&](const Event& event) { gone.add(event); });
  }
  ASSERT_FALSE(recorder.start());
  ASSERT_TRUE(this->log.wait_for_state(RecordingState::idle));
  recorder.stop();
  EXPECT_THAT(gone.all(), IsEmpty());
}

TYPED_TEST(Delivery, AThrowingSubscriberIsReportedToTheOthers) {
  TypeParam recorder(test::scripted(this->root.path()), [this](const Event& event) { this->log.add(event); });
  const auto subscription =
      recorder.subscribe(EventFilter::only<SpeechDetected>(), [](const Event&) { throw std::logic_error("a defect"); });
  ASSERT_FALSE(recorder.start());
  EXPECT_TRUE(this->log.template wait_for<RecorderFault>(3));
  recorder.stop();
  EXPECT_THAT(test::grammar_violations(recorder.session()), IsEmpty());
}

// --- Callbacks that do not return ------------------------------------------------------------------------------------

TEST(BlockingDelivery, ACallbackThatNeverReturnsHoldsUpNeitherCaptureNorOthersNorTheStop) {
  const test::TemporaryDirectory root;
  std::promise<void> release;
  const auto released = release.get_future().share();
  test::EventLog other;
  {
    RecorderBackend recorder(chatty(root.path()), [released](const Event&) { released.wait(); });
    const auto subscription = recorder.subscribe(EventFilter::all(), [&](const Event& event) { other.add(event); });
    recorder.start_recording();
    ASSERT_TRUE(other.wait_for_state(RecordingState::idle));
    const auto began = std::chrono::steady_clock::now();
    recorder.stop_recording();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
    EXPECT_EQ(other.bodies<SpeechEnded>().size(), 400U);
    EXPECT_THAT(test::grammar_violations(recorder.get_session_path()), IsEmpty());
  }
  release.set_value();
}

TEST(BlockingDelivery, StoppingFromInsideACallbackIsAnErrorNotADeadlock) {
  const test::TemporaryDirectory root;
  std::promise<std::error_code> result;
  RecorderBackend* self = nullptr;
  std::atomic<bool> asked{false};
  RecorderBackend recorder(test::live_script(root.path()), [&](const Event& event) {
    if (!std::holds_alternative<SpeechDetected>(event.body) || asked.exchange(true)) return;
    std::error_code error;
    self->stop_recording(error);
    result.set_value(error);
  });
  self = &recorder;
  recorder.start_recording();
  EXPECT_EQ(result.get_future().get(), Errc::resource_deadlock_would_occur);
}

TEST(BlockingDelivery, ACallbackMayDestroyTheRecorder) {
  const test::TemporaryDirectory root;
  std::promise<void> destroyed;
  auto recorder = std::make_shared<std::unique_ptr<RecorderBackend>>();
  std::atomic<bool> once{false};
  *recorder = std::make_unique<RecorderBackend>(test::live_script(root.path()), [&, recorder](const Event& event) {
    if (!std::holds_alternative<SpeechDetected>(event.body) || once.exchange(true)) return;
    recorder->reset();
    destroyed.set_value();
  });
  (*recorder)->start_recording();
  EXPECT_EQ(destroyed.get_future().wait_for(5s), std::future_status::ready);
}

TEST(BlockingDelivery, ACallbackNeedNotBeCopyable) {
  const test::TemporaryDirectory root;
  test::EventLog log;
  auto owned = std::make_unique<int>(7);
  RecorderBackend recorder(test::scripted(root.path()),
                           [&log, owned = std::move(owned)](const Event& event) { log.add(event); });
  recorder.start_recording();
  EXPECT_TRUE(log.wait_for_state(RecordingState::idle));
}

// --- What only the async flavour can do ------------------------------------------------------------------------------

class AsyncDelivery : public testing::Test {
 protected:
  /// Runs a coroutine to its end on a loop of one thread.
  template <class Coroutine>
  void run(Coroutine coroutine) {
    std::exception_ptr thrown;
    asio::co_spawn(loop, std::move(coroutine), [&](std::exception_ptr error) { thrown = error; });
    loop.run();
    if (thrown) std::rethrow_exception(thrown);
  }

  static asio::awaitable<void> record_to_the_end(AsyncRecorderBackend& recorder) {
    EventStream states = recorder.events(EventFilter::only<RecordingStateChanged>());
    co_await recorder.start_recording();
    while (std::get<RecordingStateChanged>((co_await states.next()).body).state != RecordingState::idle) {
    }
    co_await recorder.stop_recording();
  }

  asio::io_context loop{1};
  test::TemporaryDirectory root;
  test::EventLog log;
};

TEST_F(AsyncDelivery, ACoroutineCallbackIsAwaitedBeforeItsNextEvent) {
  bool inside = false;
  bool overlapped = false;
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()),
                                  [&](const Event& event) -> asio::awaitable<void> {
                                    overlapped = overlapped || inside;
                                    inside = true;
                                    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
                                    co_await timer.async_wait(asio::use_awaitable);
                                    inside = false;
                                    log.add(event);
                                  });
    co_await record_to_the_end(recorder);
  });
  EXPECT_FALSE(overlapped);
  EXPECT_TRUE(is_gapless(log.all()));
  EXPECT_EQ(std::get<RecordingStateChanged>(journaled(log.all()).back().body).state, RecordingState::idle);
}

TEST_F(AsyncDelivery, ACoroutineCallbackMayStopTheRecordingAndIsNotWaitedFor) {
  std::chrono::steady_clock::duration took{};
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend* self = nullptr;
    bool asked = false;
    asio::steady_timer stopped(loop, asio::steady_timer::time_point::max());
    AsyncRecorderBackend recorder(loop.get_executor(), test::live_script(root.path()),
                                  [&](const Event& event) -> asio::awaitable<void> {
                                    if (!std::holds_alternative<SpeechDetected>(event.body) || asked) co_return;
                                    asked = true;
                                    // Resumed once before it asks: it is still known whose callback this is.
                                    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
                                    co_await timer.async_wait(asio::use_awaitable);
                                    const auto began = std::chrono::steady_clock::now();
                                    co_await self->stop_recording();
                                    took = std::chrono::steady_clock::now() - began;
                                    stopped.cancel();
                                  });
    self = &recorder;
    co_await recorder.start_recording();
    co_await stopped.async_wait(asio::as_tuple(asio::use_awaitable));
    EXPECT_FALSE(recorder.is_recording());
  });
  EXPECT_LT(took, 1500ms);
}

TEST_F(AsyncDelivery, ACoroutineCallbackThatThrowsIsReported) {
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()),
                                  [&](const Event& event) -> asio::awaitable<void> {
                                    log.add(event);
                                    if (std::holds_alternative<SpeechEnded>(event.body)) throw std::runtime_error("oh");
                                    co_return;
                                  });
    co_await record_to_the_end(recorder);
  });
  const auto faults = log.bodies<RecorderFault>();
  ASSERT_EQ(faults.size(), 3U);
  EXPECT_THAT(faults.front().message, HasSubstr("oh"));
}

TEST_F(AsyncDelivery, ACallbackThatAwaitsWhatNeverComesHoldsUpNothingElse) {
  test::EventLog other;
  const auto began = std::chrono::steady_clock::now();
  run([&]() -> asio::awaitable<void> {
    asio::steady_timer never(loop, asio::steady_timer::time_point::max());
    {
      AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()),
                                    [&](const Event&) -> asio::awaitable<void> {
                                      co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
                                    });
      const auto subscription = recorder.subscribe(EventFilter::all(), [&](const Event& event) { other.add(event); });
      co_await record_to_the_end(recorder);
      EXPECT_TRUE(is_gapless(other.all()));
      EXPECT_EQ(other.bodies<TranscriptionComplete>().size(), 3U);
    }
    never.cancel();
  });
  EXPECT_LT(std::chrono::steady_clock::now() - began, 8s);
}

TEST_F(AsyncDelivery, ACoroutineThatLagsGetsEveryEventFromTheJournal) {
  test::EventLog quick;
  run([&]() -> asio::awaitable<void> {
    asio::steady_timer released(loop, asio::steady_timer::time_point::max());
    asio::steady_timer all_received(loop, 20s);
    AsyncRecorderBackend recorder(loop.get_executor(), chatty(root.path()),
                                  [&](const Event& event) -> asio::awaitable<void> {
                                    if (!event.is_ephemeral() && event.sequence == 0U) {
                                      co_await released.async_wait(asio::as_tuple(asio::use_awaitable));
                                    }
                                    log.add(event);
                                    const auto* text = std::get_if<TranscriptionComplete>(&event.body);
                                    if (text != nullptr && text->segment_index == 399) all_received.cancel();
                                  });
    const auto subscription =
        recorder.subscribe(EventFilter::journaled(), [&](const Event& event) { quick.add(event); });
    EventStream ends = recorder.events(EventFilter::only<RecordingStateChanged>());
    co_await recorder.start_recording();
    while (std::get<RecordingStateChanged>((co_await ends.next()).body).is_recording) {
    }
    released.cancel();
    co_await all_received.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await recorder.stop_recording();
  });
  EXPECT_TRUE(is_gapless(log.all()));
  EXPECT_EQ(journaled(log.all()), quick.all());
}

TEST_F(AsyncDelivery, EventsCanBePulled) {
  std::vector<std::string> names;
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()));
    EventStream events = recorder.events(EventFilter::only<RecordingStateChanged>());
    co_await recorder.start_recording();
    for (;;) {
      const Event event = co_await events.next();
      names.emplace_back(to_string(std::get<RecordingStateChanged>(event.body).state));
      if (names.back() == "idle") break;
    }
  });
  EXPECT_THAT(names, testing::ElementsAre("recording", "stopping", "idle"));
}

TEST_F(AsyncDelivery, APullThatIsCancelledLosesNoEvent) {
  using namespace asio::experimental::awaitable_operators;
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()));
    EventStream events = recorder.events();
    asio::steady_timer soon(loop, 1ms);
    const auto which = co_await (events.next() || soon.async_wait(asio::use_awaitable));
    EXPECT_EQ(which.index(), 1U);
    co_await recorder.start_recording();
    const Event first = co_await events.next();
    EXPECT_EQ(first.sequence, 0U);
  });
}

TEST_F(AsyncDelivery, AnyCompletionTokenWorks) {
  bool called = false;
  AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()));
  recorder.start_recording([&](boost::system::error_code error) {
    EXPECT_FALSE(error);
    recorder.stop_recording([&](boost::system::error_code second) {
      EXPECT_FALSE(second);
      called = true;
    });
  });
  loop.run();
  EXPECT_TRUE(called);
}

TEST_F(AsyncDelivery, ErrorsComeAsATupleWhereThatIsAsked) {
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()));
    const auto [error] = co_await recorder.pause_recording(asio::as_tuple(asio::use_awaitable));
    EXPECT_EQ(error, make_error_code(Errc::invalid_state));
    EXPECT_EQ(recorder.last_error(), "Nothing is being recorded.");
  });
}

TEST_F(AsyncDelivery, HandlersRunOnTheirAssociatedExecutor) {
  asio::io_context other(1);
  auto work = asio::make_work_guard(other);
  std::thread::id handler_thread;
  std::promise<void> done;
  AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()));
  recorder.start_recording(asio::bind_executor(other, [&](boost::system::error_code) {
    handler_thread = std::this_thread::get_id();
    done.set_value();
  }));
  std::thread thread([&] { other.run(); });
  done.get_future().wait();
  EXPECT_EQ(handler_thread, thread.get_id());
  work.reset();
  thread.join();
}

/// A source whose open waits until it is let go: for starts that are cancelled in the middle.
class SlowSource final : public AudioSource {
 public:
  SlowSource(std::shared_ptr<std::promise<void>> opening, std::shared_future<void> go)
      : opening_(std::move(opening)), go_(std::move(go)) {}
  AudioFormat open() override {
    opening_->set_value();
    go_.wait();
    return {.sample_rate = 16000, .channels = 1};
  }
  Reading read(std::span<float>) override { return {}; }
  void close() noexcept override {}
  std::string description() const override { return "slow"; }

 private:
  const std::shared_ptr<std::promise<void>> opening_;
  const std::shared_future<void> go_;
};

TEST_F(AsyncDelivery, ACancelledStartRollsBack) {
  using namespace asio::experimental::awaitable_operators;
  auto opening = std::make_shared<std::promise<void>>();
  std::promise<void> go;
  RecorderConfig config = test::scripted(root / "sessions");
  config.source = [opening, released = go.get_future().share()] {
    return std::make_unique<SlowSource>(opening, released);
  };
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), config, [this](const Event& event) { log.add(event); });
    asio::steady_timer soon(loop, 20ms);
    auto begun = opening->get_future();
    soon.async_wait([&](auto) { go.set_value(); });
    asio::steady_timer sooner(loop, 10ms);
    const auto which = co_await (recorder.start_recording() || sooner.async_wait(asio::use_awaitable));
    EXPECT_EQ(which.index(), 1U);
    EXPECT_FALSE(recorder.is_recording());
  });
  EXPECT_THAT(log.all(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(root / "sessions"));
}

TEST_F(AsyncDelivery, EveryTypeOfCancellationRollsAStartBack) {
  for (const auto type :
       {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
    auto opening = std::make_shared<std::promise<void>>();
    std::promise<void> go;
    RecorderConfig config = test::scripted(root / "sessions");
    config.source = [opening, released = go.get_future().share()] {
      return std::make_unique<SlowSource>(opening, released);
    };
    AsyncRecorderBackend recorder(loop.get_executor(), config);
    asio::cancellation_signal cancel;
    std::optional<boost::system::error_code> result;
    recorder.start_recording(
        asio::bind_cancellation_slot(cancel.slot(), [&](boost::system::error_code error) { result = error; }));
    opening->get_future().wait();
    cancel.emit(type);
    go.set_value();
    loop.restart();
    loop.run();
    EXPECT_EQ(result, make_error_code(Errc::cancelled));
    EXPECT_FALSE(std::filesystem::exists(root / "sessions"));
  }
}

TEST_F(AsyncDelivery, AStartThatWaitsForAStopCanBeCancelledAndTheStopGoesOn) {
  using namespace asio::experimental::awaitable_operators;
  auto control = std::make_shared<test::StuckSource::Control>();
  RecorderConfig config = test::scripted(root.path());
  config.source = [control] { return std::make_unique<test::StuckSource>(control); };
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), config);
    co_await recorder.start_recording();
    control->stuck.get_future().wait();  // so that the stop takes its time
    const auto restart = [&]() -> asio::awaitable<bool> {
      asio::steady_timer soon(loop, 50ms);
      const auto which = co_await (recorder.start_recording(asio::as_tuple(asio::use_awaitable)) ||
                                   soon.async_wait(asio::use_awaitable));
      co_return which.index() == 1;
    };
    const auto began = std::chrono::steady_clock::now();
    const auto was_cancelled = co_await (recorder.stop_recording() && restart());
    EXPECT_TRUE(was_cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
    EXPECT_FALSE(recorder.is_recording());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root.path()), {}), 1) << "a second session was begun";
  });
  control->release.set_value();
}

TEST_F(AsyncDelivery, OneOfTwoStartsThatIsCancelledEndsBoth) {
  using namespace asio::experimental::awaitable_operators;
  auto opening = std::make_shared<std::promise<void>>();
  std::promise<void> go;
  RecorderConfig config = test::scripted(root / "sessions");
  config.source = [opening, released = go.get_future().share()] {
    return std::make_unique<SlowSource>(opening, released);
  };
  run([&]() -> asio::awaitable<void> {
    const auto token = asio::as_tuple(asio::use_awaitable);
    AsyncRecorderBackend recorder(loop.get_executor(), config);
    std::optional<boost::system::error_code> other;
    recorder.start_recording([&](boost::system::error_code error) { other = error; });
    asio::steady_timer soon(loop, 50ms);
    soon.async_wait([&](auto) { go.set_value(); });
    asio::steady_timer sooner(loop, 5ms);
    co_await (recorder.start_recording(token) || sooner.async_wait(token));
    EXPECT_EQ(other, make_error_code(Errc::cancelled));
  });
}

TEST_F(AsyncDelivery, ARecorderMayBeDestroyedWhileItStarts) {
  auto opening = std::make_shared<std::promise<void>>();
  std::promise<void> go;
  RecorderConfig config = test::scripted(root / "sessions");
  config.source = [opening, released = go.get_future().share()] {
    return std::make_unique<SlowSource>(opening, released);
  };
  std::optional<boost::system::error_code> result;
  auto recorder = std::make_unique<AsyncRecorderBackend>(loop.get_executor(), config);
  recorder->start_recording([&](boost::system::error_code error) { result = error; });
  opening->get_future().wait();
  const auto began = std::chrono::steady_clock::now();
  recorder.reset();  // in a device that hangs
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2200ms);
  loop.run();
  EXPECT_EQ(result, make_error_code(Errc::cancelled));
  go.set_value();
}

TEST_F(AsyncDelivery, AFutureIsACompletionTokenToo) {
  auto work = asio::make_work_guard(loop);
  std::thread thread([this] { loop.run(); });
  {
    AsyncRecorderBackend recorder(loop.get_executor(), test::scripted(root.path()));
    EXPECT_THROW(recorder.pause_recording(asio::use_future).get(), boost::system::system_error);
    EventStream events = recorder.events(EventFilter::only<TranscriptionComplete>());
    recorder.start_recording(asio::use_future).get();
    EXPECT_EQ(std::get<TranscriptionComplete>(events.next(asio::use_future).get().body).text, "the first sentence");
    recorder.wait_until_idle(asio::use_future).get();
    recorder.stop_recording(asio::use_future).get();
  }
  work.reset();
  thread.join();
}

TEST_F(AsyncDelivery, ANullFunctionIsNoCallback) {
  void (*const nothing)(const Event&) = nullptr;
  EXPECT_THROW(AsyncRecorderBackend(loop.get_executor(), RecorderConfig(), nothing), RecorderError);
}

TEST_F(AsyncDelivery, AnAwaitedOperationThrowsTheWholeSentence) {
  run([&]() -> asio::awaitable<void> {
    RecorderConfig config = test::scripted(root.path());
    config.source = nullptr;
    config.capture.input = "/no/such/file.wav";
    AsyncRecorderBackend recorder(loop.get_executor(), config);
    try {
      co_await recorder.start_recording();
      ADD_FAILURE() << "it started";
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), Errc::input_not_found);
      EXPECT_THAT(error.what(), testing::HasSubstr("/no/such/file.wav"));
      EXPECT_EQ(recorder.last_error(), error.what());
    }
  });
}

TEST_F(AsyncDelivery, ACancelledWaitForIdleEndsAtOnce) {
  using namespace asio::experimental::awaitable_operators;
  RecorderConfig config = test::scripted(root.path());
  config.custom_transcriber = [] { return std::make_unique<test::SilentTranscriber>(); };
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), config);
    EventStream queued = recorder.events(EventFilter::only<TranscriptionQueued>());
    co_await recorder.start_recording();
    co_await queued.next();
    asio::steady_timer soon(loop, 20ms);
    const auto which = co_await (recorder.wait_until_idle() || soon.async_wait(asio::use_awaitable));
    EXPECT_EQ(which.index(), 1U);
    co_await recorder.stop_recording(0s);
  });
}

TEST_F(AsyncDelivery, ACancelledStopStillEndsTheRecording) {
  using namespace asio::experimental::awaitable_operators;
  RecorderConfig config = test::live_script(root.path());
  run([&]() -> asio::awaitable<void> {
    AsyncRecorderBackend recorder(loop.get_executor(), config);
    co_await recorder.start_recording();
    asio::steady_timer at_once(loop, 0ms);
    co_await (recorder.stop_recording() || at_once.async_wait(asio::use_awaitable));
    EXPECT_FALSE(recorder.is_recording());
  });
}

}  // namespace
}  // namespace dictum
