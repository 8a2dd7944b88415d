// Records a file as if it were spoken now, and prints what was said: the awaited flavour, on an event loop of one
// thread.
//
//   example_awaited FILE FOLDER

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <dictum/async_recorder_backend.hpp>
#include <exception>
#include <iostream>

namespace asio = boost::asio;

asio::awaitable<void> record(dictum::RecorderConfig config) {
  const auto loop = co_await asio::this_coro::executor;
  dictum::AsyncRecorderBackend backend(loop, config, [](const dictum::Event& event) -> asio::awaitable<void> {
    if (auto* text = std::get_if<dictum::TranscriptionComplete>(&event.body)) std::cout << text->text << std::endl;
    co_return;  // may await anything: the next event comes when it has returned
  });

  dictum::EventStream states = backend.events(dictum::EventFilter::only<dictum::RecordingStateChanged>());
  co_await backend.start_recording();
  while (std::get<dictum::RecordingStateChanged>((co_await states.next()).body).is_recording) {
  }
  co_await backend.stop_recording();  // waits for the texts that are still to come
  std::cout << "kept in " << backend.get_session_path() << std::endl;
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  dictum::RecorderConfig config;
  config.capture.input = arguments[1];
  config.capture.pace = "fast";
  config.session.root = arguments[2];

  asio::io_context loop(1);
  int status = 0;
  asio::co_spawn(loop, record(config), [&status](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
      status = 1;
    }
  });
  loop.run();
  return status;
}
