#pragma once

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
#include <utility>
#include <vector>

#include "dictum/scripted_source.hpp"
#include "recorder/session.hpp"
#include "support/temporary_directory.hpp"
#include "support/virtual_time.hpp"
#include "transcription/custom_runner.hpp"

/// A session by itself, in virtual time, on one thread. Its disk can be made to hang.
namespace dictum::recorder {

namespace asio = boost::asio;
using namespace std::chrono_literals;

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
  SessionRunner transcriber(const std::optional<transcription::WorkerPoolSettings>&, Urgency) override {
    if (runner) return SessionRunner(*runner);
    if (!config_.custom_transcriber) return {};
    return SessionRunner(std::make_unique<transcription::CustomRunner>(config_.custom_transcriber()));
  }
  void state_changed(RecordingState state, const std::filesystem::path&) override {
    states.push_back(state);
    if (state == RecordingState::idle && on_idle) on_idle();
  }
  void folder_moved(const std::filesystem::path& from, const std::filesystem::path& to) override {
    moves.emplace_back(from, to);
  }
  void replace_strands() override { ++replaced; }
  Subscribers& subscribers() override { return subscribers_; }

  std::shared_ptr<transcription::JobRunner> runner;  // in place of the configured one
  std::vector<RecordingState> states;
  std::vector<std::pair<std::filesystem::path, std::filesystem::path>> moves;
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
    host->runner = runner;
    session = std::make_shared<Session>(host, loop, TimeSource{time, time}, Session::Visibility::published);
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
  test::TemporaryDirectory root{test::Medium::memory};
  RecorderConfig config;
  std::shared_ptr<Gate> disk = std::make_shared<Gate>();
  std::shared_ptr<Gate> sync = std::make_shared<Gate>();
  std::shared_ptr<transcription::JobRunner> runner;
  std::shared_ptr<Host> host;
  std::shared_ptr<delivery::EventQueue> events;
  std::shared_ptr<Session> session;

 private:
  std::vector<Event> received_;
};

}  // namespace dictum::recorder
