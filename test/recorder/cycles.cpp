#include "recorder/cycles.hpp"

#include <fmt/format.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/sanitized.hpp"
#include "dictum/async_recorder_backend.hpp"
#include "dictum/recorder_backend.hpp"
#include "recorder/recordings.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/processes.hpp"

namespace dictum::test {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

using Random = std::mt19937;

std::chrono::microseconds moment(Random& random) {
  // Most of a session's life is its first milliseconds, as far as defects are concerned.
  return std::chrono::microseconds(std::uniform_int_distribution(0, 1)(random) == 0
                                       ? std::uniform_int_distribution(0, 2'000)(random)
                                       : std::uniform_int_distribution(0, 40'000)(random));
}

RecorderConfig configuration(Random& random, const fs::path& root, bool with_workers) {
  RecorderConfig config = std::uniform_int_distribution(0, 2)(random) == 0 ? scripted(root) : live_script(root);
  if (with_workers) {
    config.custom_transcriber = nullptr;
    config.transcription.transcriber = "simulated";
    config.transcription.workers = 2;
  }
  return config;
}

enum class End { stop, stop_while_starting, pause, callback, restart, destroy, kinds };

End end(Random& random) {
  return static_cast<End>(std::uniform_int_distribution(0, static_cast<int>(End::kinds) - 1)(random));
}

void block(Random& random, RecorderConfig config) {
  const auto delay = moment(random);
  const auto second_delay = moment(random);
  const End how = end(random);
  auto recorder = std::make_shared<std::unique_ptr<RecorderBackend>>();
  std::promise<void> destroyed;
  std::promise<void> started;  // nobody may be inside a call any more
  std::atomic<bool> destroys{how == End::callback};
  *recorder = std::make_unique<RecorderBackend>(std::move(config), [&, recorder](const Event&) {
    if (!destroys.exchange(false)) return;
    started.get_future().wait();
    recorder->reset();
    destroyed.set_value();
  });
  RecorderBackend& backend = **recorder;
  std::error_code ignored;
  switch (how) {
    case End::stop_while_starting: {
      auto starting = std::async(std::launch::async, [&] {
        std::error_code error;
        backend.start_recording(error);
      });
      std::this_thread::sleep_for(delay / 20);
      backend.stop_recording(ignored);
      starting.wait();
      break;
    }
    case End::pause:
      backend.start_recording();
      std::this_thread::sleep_for(delay);
      backend.pause_recording(ignored);
      std::this_thread::sleep_for(second_delay);
      if (delay > second_delay) backend.resume_recording(ignored);
      break;
    case End::callback:
      backend.start_recording();
      started.set_value();
      destroyed.get_future().wait();
      break;
    case End::restart: {
      backend.start_recording();
      std::this_thread::sleep_for(delay);
      auto stopping = std::async(std::launch::async, [&] {
        std::error_code error;
        backend.stop_recording(error);
      });
      backend.start_recording(ignored);
      stopping.wait();
      break;
    }
    case End::stop:
      backend.start_recording();
      std::this_thread::sleep_for(delay);
      backend.stop_recording(0s, ignored);
      break;
    default:
      backend.start_recording();
      std::this_thread::sleep_for(delay);
  }
  recorder->reset();
}

asio::awaitable<void> await(Random& random, RecorderConfig config) {
  using namespace asio::experimental::awaitable_operators;
  const auto delay = moment(random);
  const auto second_delay = moment(random);
  const End how = end(random);
  const auto token = asio::as_tuple(asio::use_awaitable);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  auto recorder = std::make_unique<AsyncRecorderBackend>(timer.get_executor(), std::move(config),
                                                         [](const Event&) -> asio::awaitable<void> { co_return; });
  switch (how) {
    case End::stop_while_starting:
      timer.expires_after(delay / 20);
      co_await (recorder->start_recording(token) || timer.async_wait(token));
      break;
    case End::pause:
      co_await recorder->start_recording();
      timer.expires_after(delay);
      co_await timer.async_wait(token);
      co_await recorder->pause_recording(token);
      timer.expires_after(second_delay);
      co_await timer.async_wait(token);
      if (delay > second_delay) co_await recorder->resume_recording(token);
      break;
    case End::callback: {
      EventStream events = recorder->events();
      co_await recorder->start_recording();
      co_await events.next();
      break;
    }
    case End::restart:
      co_await recorder->start_recording();
      timer.expires_after(delay);
      co_await timer.async_wait(token);
      co_await (recorder->stop_recording(std::nullopt, token) && recorder->start_recording(token));
      break;
    case End::stop:
      co_await recorder->start_recording();
      timer.expires_after(delay);
      co_await timer.async_wait(token);
      co_await recorder->stop_recording(std::chrono::duration<double>(0), token);
      break;
    default:
      co_await recorder->start_recording();
      timer.expires_after(delay);
      co_await timer.async_wait(token);
  }
  recorder.reset();  // on the loop itself
}

void await_on_a_loop(Random& random, RecorderConfig config) {
  asio::io_context loop(1);
  std::exception_ptr thrown;
  asio::co_spawn(loop, await(random, std::move(config)), [&](std::exception_ptr error) { thrown = error; });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
}

std::size_t entries(const fs::path& folder) {
  std::error_code ignored;
  const auto all = fs::directory_iterator(folder, ignored);
  return static_cast<std::size_t>(std::distance(fs::begin(all), fs::end(all)));
}

/// Lets a sanitizer start what it starts once and keeps: a thread with the first of ours, and the program that gives
/// names to addresses (with its two pipes) when first it looks at a report, also at one that is suppressed.
void settle_sanitizer() {
  std::thread([] {}).join();
  if constexpr (kSanitized) {
    std::array<char, 256> name{};
    __sanitizer_symbolize_pc(__builtin_return_address(0), "%f", name.data(), name.size());
  }
}

}  // namespace

Holdings holdings() {
  [[maybe_unused]] static const bool settled = (settle_sanitizer(), true);
  // Whatever a process starts has its environment, also where its parent has left it.
  static const std::string marker = fmt::format("DICTUM_STARTED_BY={}", ::getpid());
  ::putenv(const_cast<char*>(marker.c_str()));
  return {.threads = entries("/proc/self/task"),
          .descriptors = transcription::open_descriptors(),
          .children = transcription::processes_with(marker).size(),
          .resident_bytes = transcription::resident_bytes()};
}

bool come_down_to(const Holdings& before, std::chrono::milliseconds deadline) {
  return transcription::soon(
      [&] {
        const Holdings now = holdings();
        return now.threads <= before.threads && now.descriptors <= before.descriptors &&
               now.children <= before.children;
      },
      deadline);
}

void run_cycles(const Cycles& cycles, const std::function<void(int)>& after) {
  Random random(cycles.seed);
  for (int i = 0; i < cycles.count; ++i) {
    const TemporaryDirectory root;
    const Holdings before = holdings();
    RecorderConfig config = configuration(random, root.path(), cycles.with_workers && i % 10 >= 8);
    if (i % 2 == 0) {
      block(random, std::move(config));
    } else {
      await_on_a_loop(random, std::move(config));
    }
    if (!come_down_to(before)) {
      const Holdings now = holdings();
      throw std::runtime_error(
          fmt::format("cycle {} left something over: threads {} -> {}, descriptors {} -> {}, children {} -> {}", i,
                      before.threads, now.threads, before.descriptors, now.descriptors, before.children, now.children));
    }
    if (after) after(i);
  }
}

}  // namespace dictum::test
