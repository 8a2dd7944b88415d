// Two recorders and a clock on one event loop: two channels of a call, say, each with a session of its own.
//
//   example_two_recorders FILE FILE FOLDER
//
// The two share a pool of threads for what blocks (files, speech detection); the loop has one thread, and its timer
// ticks on while both record.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <dictum/async_recorder_backend.hpp>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

asio::awaitable<void> record(std::string name, std::filesystem::path file, std::filesystem::path root,
                             asio::any_io_executor work) {
  dictum::RecorderConfig config;
  config.capture.input = file;
  config.capture.pace = "fast";
  config.session.root = root / name;

  dictum::AsyncRecorderBackend backend(
      co_await asio::this_coro::executor, config,
      [name](const dictum::Event& event) {  // a plain callback will do where there is nothing to await
        if (auto* text = std::get_if<dictum::TranscriptionComplete>(&event.body)) {
          std::cout << name << ": " << text->text << std::endl;
        }
      },
      work);
  dictum::EventStream states = backend.events(dictum::EventFilter::only<dictum::RecordingStateChanged>());
  co_await backend.start_recording();
  while (std::get<dictum::RecordingStateChanged>((co_await states.next()).body).is_recording) {
  }
  co_await backend.stop_recording();
}

asio::awaitable<void> tick(asio::steady_timer& timer) {
  for (int seconds = 1;; ++seconds) {
    timer.expires_after(std::chrono::seconds(1));
    const auto [cancelled] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (cancelled) co_return;
    std::cout << seconds << " s" << std::endl;
  }
}

int main(int count, char** arguments) {
  if (count != 4) return 2;
  asio::thread_pool work(6);  // three threads a recorder
  asio::io_context loop(1);
  asio::steady_timer timer(loop);
  asio::co_spawn(loop, tick(timer), asio::detached);
  int status = 0;
  // Where one fails, the other is cancelled, and the failure is thrown.
  asio::co_spawn(loop,
                 record("caller", arguments[1], arguments[3], work.get_executor()) &&
                     record("called", arguments[2], arguments[3], work.get_executor()),
                 [&](std::exception_ptr thrown) {
                   timer.cancel();
                   try {
                     if (thrown) std::rethrow_exception(thrown);
                   } catch (const std::exception& error) {
                     std::cerr << error.what() << std::endl;
                     status = 1;
                   }
                 });
  loop.run();
  work.join();
  return status;
}
