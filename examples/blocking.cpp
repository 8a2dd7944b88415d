// Records a file as if it were spoken now, and prints what was said: the blocking flavour.
//
//   example_blocking FILE FOLDER
//
// Without `config.capture.input` it records the microphone, and stop_recording() ends it.

#include <dictum/recorder_backend.hpp>
#include <future>
#include <iostream>

int main(int count, char** arguments) {
  if (count != 3) return 2;
  dictum::RecorderConfig config;
  config.capture.input = arguments[1];
  config.capture.pace = "fast";  // a file need not take as long as it lasts
  config.session.root = arguments[2];

  std::promise<void> ended;
  dictum::RecorderBackend backend(config, [&](const dictum::Event& event) {  // on a thread of its own
    if (auto* text = std::get_if<dictum::TranscriptionComplete>(&event.body)) std::cout << text->text << std::endl;
    if (auto* now = std::get_if<dictum::RecordingStateChanged>(&event.body); now && !now->is_recording)
      ended.set_value();
  });

  try {
    backend.start_recording();
    ended.get_future().wait();  // the file's end stops the recording
    backend.stop_recording();   // waits for the texts that are still to come
  } catch (const dictum::RecorderError& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
  std::cout << "kept in " << backend.get_session_path() << std::endl;
}
