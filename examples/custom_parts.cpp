// Every part of the recorder may be the application's own: where audio comes from, what is speech, what it says. All
// three are made here, in this process; a recogniser that may crash is better a worker process
// (docs/worker-protocol.md).
//
//   example_custom_parts FOLDER

#include <algorithm>
#include <dictum/recorder_backend.hpp>
#include <future>
#include <iostream>
#include <numeric>
#include <random>
#include <utility>

/// Three bursts of noise, a second each, with a second of silence around each.
class Bursts final : public dictum::AudioSource {
 public:
  dictum::AudioFormat open() override { return {.sample_rate = kRate, .channels = 1}; }

  dictum::Reading read(std::span<float> samples) override {
    const std::size_t count = std::min<std::size_t>(samples.size(), kFrames - next_);
    for (float& sample : samples.first(count)) sample = next_++ / kRate % 2 == 1 ? noise_(random_) : 0.0F;
    if (next_ == kFrames) return {count, dictum::SourceEnd{}};
    return {count, {}};
  }

  void close() noexcept override {}
  std::chrono::milliseconds pace() const override { return std::chrono::milliseconds(0); }  // never empty: not live
  std::string description() const override { return "bursts of noise"; }

 private:
  static constexpr std::size_t kRate = 16000;
  static constexpr std::size_t kFrames = 7 * kRate;
  std::size_t next_ = 0;
  std::mt19937 random_{1};
  std::uniform_real_distribution<float> noise_{-0.5F, 0.5F};
};

/// Takes for speech whatever is loud.
class Loudness final : public dictum::VoiceActivityDetector {
 public:
  float probability(std::span<const float, dictum::kVADWindow> window) override {
    const float energy = std::inner_product(window.begin(), window.end(), window.begin(), 0.0F);
    return energy / dictum::kVADWindow > 0.01F ? 1.0F : 0.0F;
  }
  void reset() override {}
  std::string_view name() const override { return "loudness"; }
};

/// Says how long a segment is. It answers at once; one that takes its time answers from a thread of its own.
class Length final : public dictum::Transcriber {
 public:
  void transcribe(dictum::TranscriptionJob job, Done done) override {
    dictum::TranscriptionOutcome outcome;
    outcome.text = std::to_string((job.end_frame - job.start_frame) * 1000 / job.sample_rate) + " ms of noise";
    done(std::move(outcome));
  }
  void abandon() override {}  // nothing waits
};

int main(int count, char** arguments) {
  if (count != 2) return 2;
  dictum::RecorderConfig config;
  config.source = [] { return std::make_unique<Bursts>(); };
  config.detector = [] { return std::make_unique<Loudness>(); };
  config.custom_transcriber = [] { return std::make_unique<Length>(); };
  config.session.root = arguments[1];

  std::promise<void> ended;
  int texts = 0;
  dictum::RecorderBackend backend(config, [&](const dictum::Event& event) {
    if (auto* text = std::get_if<dictum::TranscriptionComplete>(&event.body)) {
      std::cout << text->text << std::endl;
      ++texts;
    }
    if (auto* now = std::get_if<dictum::RecordingStateChanged>(&event.body); now && !now->is_recording)
      ended.set_value();
  });
  backend.start_recording();
  ended.get_future().wait();
  backend.stop_recording();
  return texts == 3 ? 0 : 1;
}
