// Shows the level of what is recorded, as a meter in an application does: the recorder's own source is kept, and each
// reading of it is seen on its way.
//
//   example_frame_tap FILE FOLDER

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <dictum/audio_input.hpp>
#include <dictum/recorder_backend.hpp>
#include <future>
#include <iostream>

/// The loudest sample since it was last asked, and how many there were. Written by the tap, read by the application.
class Meter {
 public:
  void see(std::span<const float> samples) {
    float peak = 0;
    for (const float sample : samples) peak = std::max(peak, std::abs(sample));
    if (peak > peak_.load()) peak_.store(peak);  // the tap alone raises it
    samples_.fetch_add(samples.size());
  }
  float take_peak() { return peak_.exchange(0); }
  std::uint64_t samples() const { return samples_.load(); }

 private:
  std::atomic<float> peak_ = 0;
  std::atomic<std::uint64_t> samples_ = 0;
};

int main(int count, char** arguments) {
  if (count != 3) return 2;
  dictum::RecorderConfig config;
  config.capture.input = arguments[1];  // without this line: the microphone
  config.capture.pace = "fast";
  config.session.root = arguments[2];

  Meter meter;
  config.source = [config, &meter] {
    return dictum::tap_source(
        dictum::make_source(config),
        [&meter](std::span<const float> samples, const dictum::AudioFormat&) { meter.see(samples); });
  };

  std::promise<void> ended;
  dictum::RecorderBackend backend(config, [&](const dictum::Event& event) {
    if (std::holds_alternative<dictum::SpeechEnded>(event.body))
      std::cout << "peak " << 20 * std::log10(std::max(meter.take_peak(), 1e-6F)) << " dBFS" << std::endl;
    if (auto* now = std::get_if<dictum::RecordingStateChanged>(&event.body); now && !now->is_recording)
      ended.set_value();
  });
  try {
    backend.start_recording();
    ended.get_future().wait();
    backend.stop_recording();
  } catch (const dictum::RecorderError& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
  std::cout << meter.samples() << " samples" << std::endl;
  return meter.samples() > 0 ? 0 : 1;
}
