// Records a microphone for some seconds, and prints what was said.
//
//   example_microphone SECONDS FOLDER [DEVICE]
//
// DEVICE is an id, a name, or a unique part of it. Without it the default microphone is recorded.

#include <chrono>
#include <cstdlib>
#include <dictum/devices.hpp>
#include <dictum/recorder_backend.hpp>
#include <iostream>
#include <thread>

int main(int count, char** arguments) {
  if (count < 3) return 2;
  dictum::RecorderConfig config;
  config.session.root = arguments[2];
  if (count > 3) config.capture.device = arguments[3];

  try {
    for (const dictum::DeviceInfo& device : dictum::list_devices()) {
      std::cout << (device.is_default ? "* " : "  ") << device.id << "  " << device.description << '\n';
    }

    int segments = 0;
    dictum::RecorderBackend backend(config, [&](const dictum::Event& event) {
      if (auto* speech = std::get_if<dictum::SpeechEnded>(&event.body)) segments += speech->kept ? 1 : 0;
      if (auto* text = std::get_if<dictum::TranscriptionComplete>(&event.body)) std::cout << text->text << std::endl;
      // A microphone that is muted, silent, clipped or unplugged: one sentence that says what to do. It goes on.
      if (auto* fault = std::get_if<dictum::RecorderFault>(&event.body)) std::cerr << fault->message << std::endl;
    });
    backend.start_recording();  // returns once the microphone has delivered
    std::this_thread::sleep_for(std::chrono::duration<double>(std::atof(arguments[1])));
    backend.stop_recording();  // closes the microphone, waits for the texts, then for the callback
    std::cout << segments << " segments in " << backend.get_session_path() << std::endl;
    return segments > 0 ? 0 : 1;
  } catch (const dictum::RecorderError& error) {  // no sound server, no such device
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
