#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

#include "dictum/async_recorder_backend.hpp"
#include "dictum/push_source.hpp"
#include "dictum/recorder_backend.hpp"
#include "recorder/cycles.hpp"
#include "recorder/event_log.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/processes.hpp"

/// Callbacks that take their time while audio comes in real time, from a source that loses what is not taken in time.
/// DICTUM_SOAK=1 takes the times in full length.
namespace dictum {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using testing::IsEmpty;

constexpr int kRate = 16000;
constexpr auto kForEver = std::chrono::hours(24);

bool in_full_length() {
  return std::getenv("DICTUM_SOAK") != nullptr;
}

/// One subscriber takes `each` time over an event; another takes none.
class BlockingSlow {
 public:
  static constexpr const char* kName = "Blocking";

  BlockingSlow(const RecorderConfig& config, Clock::duration each, std::function<void(const Event&)> quick)
      : recorder_(std::make_unique<RecorderBackend>(
            config, [released = released_, each](const Event&) { released.wait_for(each); })),
        quick_(recorder_->subscribe(EventFilter::all(), std::move(quick))) {}
  ~BlockingSlow() { release_.set_value(); }

  void start() { recorder_->start_recording(); }
  void stop() { recorder_->stop_recording(); }
  void destroy() { recorder_.reset(); }
  std::filesystem::path session() const { return recorder_->get_session_path(); }

 private:
  std::promise<void> release_;
  const std::shared_future<void> released_ = release_.get_future().share();
  std::unique_ptr<RecorderBackend> recorder_;
  Subscription quick_;
};

/// The same on an event loop with one thread: the slow one awaits.
class AwaitingSlow {
 public:
  static constexpr const char* kName = "Awaiting";

  AwaitingSlow(const RecorderConfig& config, Clock::duration each, std::function<void(const Event&)> quick)
      : recorder_(
            std::make_unique<AsyncRecorderBackend>(loop_.get_executor(), config,
                                                   [each](const Event&) -> asio::awaitable<void> {
                                                     asio::steady_timer timer(co_await asio::this_coro::executor, each);
                                                     co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
                                                   })),
        quick_(recorder_->subscribe(EventFilter::all(), std::move(quick))),
        thread_([this] { loop_.run(); }) {}
  ~AwaitingSlow() {
    destroy();
    loop_.stop();
    thread_.join();
  }

  void start() { recorder_->start_recording(asio::use_future).get(); }
  void stop() { recorder_->stop_recording(asio::use_future).get(); }
  void destroy() { recorder_.reset(); }
  std::filesystem::path session() const { return recorder_->get_session_path(); }

 private:
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  std::unique_ptr<AsyncRecorderBackend> recorder_;
  AsyncSubscription quick_;
  std::thread thread_;
};

template <class F>
class SlowCallback : public testing::Test {
 protected:
  RecorderConfig config() const {
    RecorderConfig config;
    config.source = microphone.source_factory();
    config.vad.detector = "energy";
    config.vad.min_silence_ms = 64;
    config.vad.min_speech_ms = 0;
    config.vad.pre_roll_ms = 0;
    config.vad.post_roll_ms = 0;
    config.transcription.transcriber = "none";
    config.events.level_hz = 20;
    config.session.root = root.path();
    return config;
  }

  /// Beeps of a tenth of a second, ten a second divided by two, in real time.
  void feed(Clock::duration duration) {
    constexpr Frame kBlock = kRate / 50;
    const auto began = Clock::now();
    std::vector<float> block(kBlock);
    for (Frame n = 0; n * 20ms < duration; ++n) {
      for (Frame i = 0; i < kBlock; ++i) {
        const Frame at = n * kBlock + i;
        const bool beeps = at / (kRate / 10) % 2 == 1;
        block[static_cast<std::size_t>(i)] = beeps ? 0.5F * std::sin(0.4F * static_cast<float>(at % 1000)) : 0.0F;
      }
      pushed += kBlock;
      kept += static_cast<Frame>(microphone.push(block));
      std::this_thread::sleep_until(began + (n + 1) * 20ms);  // as a microphone does
    }
  }

  /// A recording with a subscriber that takes `each` time over every event: what must not be noticed.
  void record(Clock::duration each) {
    Clock::duration latest{};
    auto recorder = std::make_unique<F>(config(), each, [&](const Event& event) {
      const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
      latest = std::max(
          latest, std::chrono::duration_cast<Clock::duration>(now - std::chrono::duration<double>(event.timestamp)));
      log.add(event);
    });
    recorder->start();
    const auto memory = test::holdings().resident_bytes;
    feed(in_full_length() ? std::max<Clock::duration>(2 * std::min<Clock::duration>(each, 10s), 5s) : 1500ms);
    const auto session = recorder->session();
    const auto began = Clock::now();
    recorder->stop();
    const auto stop_took = Clock::now() - began;
    if (!transcription::kSanitized) {  // which keeps what was freed
      EXPECT_LT(test::holdings().resident_bytes, memory + (std::size_t{32} << 20));
    }

    recorder->start();  // and destroyed while it records
    feed(100ms);
    const auto destruction_began = Clock::now();
    recorder->destroy();
    EXPECT_LT(Clock::now() - destruction_began, 2200ms);
    recorder.reset();

    EXPECT_LT(stop_took, 4s) << "two seconds for the capture, two for a subscriber";
    EXPECT_LT(latest, 1s) << "the other subscriber waited";
    EXPECT_EQ(kept, pushed) << "the source had no room";
    EXPECT_THAT(log.bodies<AudioGap>(), IsEmpty());
    EXPECT_GE(log.bodies<SpeechEnded>().size(), 5U);
    EXPECT_THAT(session::read_manifest(session).gaps, IsEmpty());
    EXPECT_THAT(test::grammar_violations(session), IsEmpty());
  }

  test::TemporaryDirectory root;
  test::EventLog log;
  PushSource microphone{{.sample_rate = kRate, .channels = 1}, 300ms};
  Frame pushed = 0;
  Frame kept = 0;
};

struct Names {
  template <class F>
  static std::string GetName(int) {
    return F::kName;
  }
};
using Flavours = testing::Types<BlockingSlow, AwaitingSlow>;
TYPED_TEST_SUITE(SlowCallback, Flavours, Names);

TYPED_TEST(SlowCallback, OfATenthOfASecondIsNotNoticed) {
  this->record(100ms);
}

TYPED_TEST(SlowCallback, OfTenSecondsIsNotNoticed) {
  this->record(in_full_length() ? 10s : 1s);
}

TYPED_TEST(SlowCallback, ThatNeverReturnsIsNotNoticed) {
  this->record(kForEver);
}

}  // namespace
}  // namespace dictum
