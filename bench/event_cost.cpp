// Delivers so many events through one flavour and nothing else, for bench/instructions to count:
//     event_cost blocking|awaited EVENTS
// Each event is the answer to a command: it goes through the core, the journal and the delivery to a callback. No audio
// arrives meanwhile, and nothing waits for the disk.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "dictum/async_recorder_backend.hpp"
#include "dictum/push_source.hpp"
#include "dictum/recorder_backend.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace dictum;

int received = 0;

void count(const Event& event) {
  if (std::holds_alternative<VADModeChanged>(event.body)) ++received;
}

VADMode mode(int i) {
  return i % 2 == 0 ? VADMode::long_note : VADMode::normal;
}

void deliver(const RecorderConfig& config, int events) {
  RecorderBackend backend(config, count);
  backend.start_recording();
  for (int i = 0; i < events; ++i) backend.set_vad_mode(mode(i));
  backend.stop_recording();
}

void deliver_awaited(const RecorderConfig& config, int events) {
  boost::asio::io_context loop(1);
  AsyncRecorderBackend backend(loop.get_executor(), config, count);
  boost::asio::co_spawn(
      loop,
      [&]() -> boost::asio::awaitable<void> {
        co_await backend.start_recording();
        for (int i = 0; i < events; ++i) co_await backend.set_vad_mode(mode(i));
        co_await backend.stop_recording();
      },
      [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
      });
  loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: event_cost blocking|awaited EVENTS\n", stderr);
    return 2;
  }
  const int events = std::atoi(argv[2]);
  const test::TemporaryDirectory folder(test::Medium::memory);
  const PushSource silent({.sample_rate = 16000, .channels = 1});
  RecorderConfig config;
  config.source = silent.source_factory();
  config.session.root = folder.path();
  config.session.durability = "crash";
  config.transcription.transcriber = "none";
  std::string_view(argv[1]) == "awaited" ? deliver_awaited(config, events) : deliver(config, events);
  // The first of the session, and one for each command.
  if (received < events) {
    std::fprintf(stderr, "event_cost: %d of %d events came\n", received, events);
    return 1;
  }
}
