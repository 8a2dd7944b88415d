// A recorder in a program whose event loop is a pool of threads. The program's pool does the recorder's work as well,
// so there is no thread that the program did not make.
//
//   example_thread_pool FILE FOLDER

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <dictum/async_recorder_backend.hpp>
#include <iostream>
#include <thread>

namespace asio = boost::asio;

asio::awaitable<void> record(dictum::RecorderConfig config, asio::any_io_executor pool) {
  dictum::AsyncRecorderBackend backend(co_await asio::this_coro::executor, config, pool);
  dictum::EventStream events = backend.events();
  co_await backend.start_recording();
  for (bool is_recording = true; is_recording;) {
    const dictum::Event event = co_await events.next();
    if (auto* text = std::get_if<dictum::TranscriptionComplete>(&event.body)) std::cout << text->text << std::endl;
    if (auto* now = std::get_if<dictum::RecordingStateChanged>(&event.body)) is_recording = now->is_recording;
  }
  co_await backend.stop_recording();
  std::cout << "kept in " << backend.get_session_path() << std::endl;
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  dictum::RecorderConfig config;
  config.capture.input = arguments[1];
  config.capture.pace = "fast";
  config.session.root = arguments[2];

  // At least four threads a recorder, and one that runs the coroutine meanwhile: the destructor of a backend blocks.
  asio::thread_pool pool(std::max(5U, std::thread::hardware_concurrency()));
  int status = 0;
  try {
    // A strand: the coroutine runs on any thread of the pool, and on one at a time.
    asio::co_spawn(asio::make_strand(pool), record(config, pool.get_executor()), asio::use_future).get();
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    status = 1;
  }
  pool.join();
  return status;
}
