// An application with an audio stack of its own feeds the recorder: here a sine that is switched on and off stands in
// for a voice, and the detector that goes by energy for the one that knows speech.
//
//   example_push_source FOLDER

#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <dictum/push_source.hpp>
#include <dictum/recorder_backend.hpp>
#include <future>
#include <iostream>
#include <numbers>
#include <span>
#include <thread>

constexpr int kRate = 48000;

/// A tenth of a second of both channels; every other second of the whole is silent.
std::array<float, 2 * kRate / 10> block(int number) {
  std::array<float, 2 * kRate / 10> samples{};
  if (number / 10 % 2 == 0) return samples;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = 0.3F * std::sin(2 * std::numbers::pi_v<float> * 220 * static_cast<float>(i / 2) / kRate);
  }
  return samples;
}

int main(int count, char** arguments) {
  if (count != 2) return 2;
  dictum::PushSource microphone({.sample_rate = kRate, .channels = 2});
  dictum::RecorderConfig config;
  config.source = microphone.source_factory();
  config.vad.detector = "energy";
  config.transcription.transcriber = "none";
  config.session.root = arguments[1];

  std::promise<void> ended;
  int segments = 0;
  dictum::RecorderBackend backend(config, [&](const dictum::Event& event) {
    if (auto* speech = std::get_if<dictum::SpeechEnded>(&event.body)) {
      std::cout << "segment " << speech->segment_index << ": " << speech->duration_sec << " s" << std::endl;
      segments += speech->kept ? 1 : 0;
    }
    if (auto* now = std::get_if<dictum::RecordingStateChanged>(&event.body); now && !now->is_recording)
      ended.set_value();
  });
  backend.start_recording();

  // push() never blocks, so it may be called from an audio callback, which comes once a block. This producer is faster
  // than real time, so it waits for room itself.
  for (int i = 0; i < 50; ++i) {
    const auto samples = block(i);
    while (microphone.room() < samples.size() / 2) std::this_thread::yield();
    microphone.push(samples);
  }
  microphone.finish();

  ended.get_future().wait();
  backend.stop_recording();
  return segments == 2 ? 0 : 1;
}
