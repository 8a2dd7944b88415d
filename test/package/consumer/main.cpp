#include <dictum/recorder_backend.hpp>
#include <iostream>

int main(int, char** arguments) {
  dictum::RecorderConfig config;
  config.capture.input = arguments[1];
  config.capture.pace = "fast";
  config.session.root = arguments[2];
  dictum::RecorderBackend backend(config, [](const dictum::Event& event) { std::cout << event.to_json() << '\n'; });
  backend.start_recording();
  backend.stop_recording();
  std::cout << backend.get_session_path() << '\n';
}
