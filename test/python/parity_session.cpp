// A session as a C++ program records it, for test_parity.py to compare with Python's: in a clock that stands still.
//
//   python_parity_session INPUT ROOT TRANSCRIBER SCRIPT FROZEN_AT

#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <span>

#include "dictum/recorder_backend.hpp"

int main(int count, char** words) {
  const std::span arguments(words, static_cast<std::size_t>(count));
  if (arguments.size() != 6) return 2;
  dictum::RecorderConfig config;
  config.capture.input = arguments[1];
  config.capture.pace = "fast";
  config.vad.min_silence_ms = 300;
  config.session.root = arguments[2];
  config.transcription.transcriber = arguments[3];
  config.transcription.simulated_script = arguments[4];
  config.clock = std::make_shared<dictum::ManualClock>(
      std::chrono::system_clock::time_point(std::chrono::seconds(std::atoll(arguments[5]))));

  std::promise<void> idle;
  dictum::RecorderBackend backend(std::move(config), [&idle](const dictum::Event& event) {
    const auto* changed = std::get_if<dictum::RecordingStateChanged>(&event.body);
    if (changed != nullptr && changed->state == dictum::RecordingState::idle) idle.set_value();
  });
  backend.start_recording();
  idle.get_future().wait();
  backend.stop_recording();
  std::cout << backend.get_session_path().string() << std::endl;
}
