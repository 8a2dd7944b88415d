// What a recorder costs the event loop that it is embedded in: one thread runs the awaited flavour on audio in real
// time, with two transcription workers at work. Beside it, in the same run and on the same loop, a control: handlers
// that do nothing, posted from another thread as often as ours come.
//
//   build/release/bin/event_loop [WAV [TRANSCRIBER]]     samples/voice_note.wav and simulated unless said otherwise
//
// Every function that the recorder gives to the loop's executor is timed, and so is every one of the control; the
// difference of the two is what our handlers add to the latency of everybody else's. Then five seconds of silence, with
// nobody who wants levels. Fails where more than 2 ms are added at the 99.9th percentile, where the loop is woken
// without an event or by silence, or where the source is asked for audio more than 100 times a second.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "capture/make_source.hpp"
#include "dictum/async_recorder_backend.hpp"
#include "dictum/scripted_source.hpp"
#include "support/temporary_directory.hpp"

namespace {

namespace asio = boost::asio;
using namespace dictum;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

/// The loop's executor, which keeps how long each function took. Used on the loop's one thread.
class TimedExecutor {
 public:
  TimedExecutor(asio::io_context& loop, std::vector<SteadyClock::duration>& took)
      : inner_(loop.get_executor()), took_(&took) {}

  template <class Function>
  void execute(Function&& function) const {
    inner_.execute([took = took_, function = std::forward<Function>(function)]() mutable {
      const auto began = SteadyClock::now();
      std::move(function)();
      took->push_back(SteadyClock::now() - began);
    });
  }

  template <class Property>
    requires(asio::can_require<asio::any_io_executor, Property>::value)
  TimedExecutor require(const Property& property) const {
    return {asio::require(inner_, property), took_};
  }
  template <class Property>
    requires(asio::can_prefer<asio::any_io_executor, Property>::value)
  TimedExecutor prefer(const Property& property) const {
    return {asio::prefer(inner_, property), took_};
  }
  template <class Property>
    requires(asio::can_query<asio::any_io_executor, Property>::value)
  decltype(auto) query(const Property& property) const {
    return asio::query(inner_, property);
  }
  bool operator==(const TimedExecutor& other) const noexcept { return inner_ == other.inner_ && took_ == other.took_; }
  bool operator!=(const TimedExecutor& other) const noexcept { return !(*this == other); }

 private:
  TimedExecutor(asio::any_io_executor inner, std::vector<SteadyClock::duration>* took)
      : inner_(std::move(inner)), took_(took) {}

  asio::any_io_executor inner_;
  std::vector<SteadyClock::duration>* took_;
};

/// Counts how often the source came up empty: the end of every wake-up of the listening strand.
class CountedSource final : public AudioSource {
 public:
  CountedSource(std::unique_ptr<AudioSource> source, std::shared_ptr<std::atomic<int>> wake_ups)
      : source_(std::move(source)), wake_ups_(std::move(wake_ups)) {}
  AudioFormat open() override { return source_->open(); }
  Reading read(std::span<float> samples) override {
    const Reading reading = source_->read(samples);
    if (reading.frames == 0) wake_ups_->fetch_add(1);
    return reading;
  }
  void finish() noexcept override { source_->finish(); }
  void close() noexcept override { source_->close(); }
  std::chrono::milliseconds pace() const override { return source_->pace(); }
  std::string description() const override { return source_->description(); }

 private:
  const std::unique_ptr<AudioSource> source_;
  const std::shared_ptr<std::atomic<int>> wake_ups_;
};

Microseconds quantile(std::vector<SteadyClock::duration> took, double q) {
  if (took.empty()) return {};
  std::ranges::sort(took);
  return took[std::min(took.size() - 1, static_cast<std::size_t>(q * static_cast<double>(took.size())))];
}

void print(const char* what, const std::vector<SteadyClock::duration>& took) {
  fmt::print("{:8} {:7} handlers: median {:7.1f} us, p99 {:7.1f} us, p99.9 {:7.1f} us, longest {:7.1f} us\n", what,
             took.size(), quantile(took, 0.5).count(), quantile(took, 0.99).count(), quantile(took, 0.999).count(),
             quantile(took, 1).count());
}

/// How often the loop of a recorder that records nothing but silence is woken, between its first second and its end.
std::size_t handlers_of_silence(const RecorderConfig& config) {
  asio::io_context loop(1);
  std::vector<SteadyClock::duration> ours;
  std::size_t woken = 0;
  asio::co_spawn(
      loop,
      [&]() -> asio::awaitable<void> {
        AsyncRecorderBackend recorder(TimedExecutor(loop, ours), config, [](const Event&) {});
        co_await recorder.start_recording();
        asio::steady_timer timer(loop, 1s);
        co_await timer.async_wait(asio::use_awaitable);
        const std::size_t before = ours.size();
        timer.expires_after(5s);
        co_await timer.async_wait(asio::use_awaitable);
        woken = ours.size() - before;
        co_await recorder.stop_recording();
      },
      [](const std::exception_ptr& thrown) {
        if (thrown) std::rethrow_exception(thrown);
      });
  loop.run();
  return woken;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string wav = count > 1 ? arguments[1] : "samples/voice_note.wav";
  const std::string transcriber = count > 2 ? arguments[2] : "simulated";
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "script.json")
      << R"({"latency_ms": 4000, "partials": ["two", "two workers", "two workers at"]})";

  RecorderConfig config;
  config.capture.input = wav;
  config.session.root = folder / "sessions";
  config.transcription.transcriber = transcriber;
  config.transcription.workers = 2;
  config.transcription.simulated_script = folder / "script.json";
  config.events.level_hz = 20;
  const auto wake_ups = std::make_shared<std::atomic<int>>(0);
  config.source = [file = config, wake_ups]() -> std::unique_ptr<AudioSource> {
    return std::make_unique<CountedSource>(capture::make_source(file, std::make_shared<const SystemClock>()), wake_ups);
  };

  asio::io_context loop(1);
  std::vector<SteadyClock::duration> ours;
  std::vector<SteadyClock::duration> control;
  ours.reserve(1U << 20);
  control.reserve(1U << 20);
  std::size_t events = 0;
  std::chrono::duration<double> recorded{};

  std::jthread posting([&](std::stop_token stopped) {
    const TimedExecutor executor(loop, control);
    while (!stopped.stop_requested()) {
      executor.execute([] {});
      std::this_thread::sleep_for(5ms);
    }
  });
  asio::co_spawn(
      loop,
      [&]() -> asio::awaitable<void> {
        AsyncRecorderBackend recorder(TimedExecutor(loop, ours), config, [&](const Event&) -> asio::awaitable<void> {
          ++events;
          co_return;
        });
        EventStream states = recorder.events(EventFilter::only<RecordingStateChanged>());
        co_await recorder.start_recording();
        const auto began = SteadyClock::now();
        while (std::get<RecordingStateChanged>((co_await states.next()).body).is_recording) {
        }
        recorded = SteadyClock::now() - began;
        co_await recorder.stop_recording();
        posting.request_stop();
      },
      [](const std::exception_ptr& thrown) {
        if (thrown) std::rethrow_exception(thrown);
      });
  loop.run();
  posting.join();

  fmt::print("{} in real time, {:.1f} s, transcribed by two workers ({})\n", wav, recorded.count(), transcriber);
  print("ours", ours);
  print("control", control);
  const double added = (quantile(ours, 0.999) - quantile(control, 0.999)).count() / 1000;
  const double handlers_an_event =
      static_cast<double>(ours.size()) / static_cast<double>(std::max<std::size_t>(1, events));
  const double wake_ups_a_second = wake_ups->load() / recorded.count();
  fmt::print("added at p99.9: {:.3f} ms (at most 2)\n", added);
  fmt::print("{} events, {:.2f} handlers an event\n", events, handlers_an_event);
  fmt::print("the listening strand woke up {:.1f} times a second (at most 100)\n", wake_ups_a_second);

  RecorderConfig silent = config;
  silent.events.level_hz = 0;
  silent.source = [] {
    return Script({{.text = "", .speech_sec = 0, .pause_sec = 60}}).source(std::make_shared<const SystemClock>())();
  };
  const std::size_t woken = handlers_of_silence(silent);
  fmt::print("{} handlers in five seconds of silence (none)\n", woken);
  return added <= 2 && handlers_an_event <= 6 && wake_ups_a_second <= 100 && woken == 0 ? 0 : 1;
}
