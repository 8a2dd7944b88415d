// From the sound to the application: how long it takes from the capture ring receiving the last sample of the window
// that decides, to the callback being entered with SpeechDetected or SpeechEnded. On a virtual microphone, in real
// time.
//
//   build/release/bin/live_latency [SEGMENTS]      200 unless said otherwise; a second each
//
// The linker puts a stop-watch around CaptureRing::push, which the device's thread calls, so the moment at which every
// frame came is known without asking the recorder; the source is watched on its way to the pipeline, so that waiting
// for the next reading is distinguished from the work. The floor, beside which it stands, is the waiting alone: a
// reader that looks every 20 ms finds a sample 10 ms old on the average. The resampler's delay is part of every figure.
//
// Fails where the median is above 15 ms or the 99th percentile above 42 ms.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "audio/resampler.hpp"
#include "capture/capture_ring.hpp"
#include "capture/make_microphone.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/vad.hpp"
#include "support/sounds.hpp"
#include "support/temporary_directory.hpp"
#include "support/virtual_microphone.hpp"

namespace {

using namespace dictum;
using namespace std::chrono_literals;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr int kRate = 48000;
constexpr int kMinSilenceMs = 256;
constexpr std::size_t kMatched = 4800;  // samples that are compared to find where the recording begins

/// What had come by when; counted in frames.
struct Moment {
  Frame end;
  TimePoint at;
};

struct Watch {
  std::vector<Moment> pushes;
  std::vector<float> first_pushed;
  std::vector<Moment> readings;
  std::vector<float> first_read;
  bool has_gap = false;
};

Watch watch;  // the linker's stop-watch can be given no argument

}  // namespace

// The linker's names for the function and for what stands in its place: seen from outside of this file.
void real_push(dictum::capture::CaptureRing*, const float*, std::size_t) noexcept
    asm("__real__ZN6dictum7capture11CaptureRing4pushEPKfm");
void timed_push(dictum::capture::CaptureRing*, const float*, std::size_t) noexcept
    asm("__wrap__ZN6dictum7capture11CaptureRing4pushEPKfm");
void timed_push(dictum::capture::CaptureRing* ring, const float* samples, std::size_t frames) noexcept {
  real_push(ring, samples, frames);
  const Frame before = watch.pushes.empty() ? 0 : watch.pushes.back().end;
  watch.pushes.push_back({before + static_cast<Frame>(frames), std::chrono::steady_clock::now()});
  if (samples != nullptr && watch.first_pushed.size() < 4 * kRate) {
    watch.first_pushed.insert(watch.first_pushed.end(), samples, samples + frames);
  }
}

namespace {

class WatchedSource final : public AudioSource {
 public:
  AudioFormat open() override { return microphone_->open(); }
  Reading read(std::span<float> mono) override {
    Reading reading = microphone_->read(mono);
    if (std::holds_alternative<SourceGap>(reading.then)) watch.has_gap = true;
    if (reading.frames == 0) return reading;
    const Frame before = watch.readings.empty() ? 0 : watch.readings.back().end;
    watch.readings.push_back({before + static_cast<Frame>(reading.frames), std::chrono::steady_clock::now()});
    if (watch.first_read.size() < kMatched) {
      watch.first_read.insert(watch.first_read.end(), mono.begin(),
                              mono.begin() + static_cast<std::ptrdiff_t>(reading.frames));
    }
    return reading;
  }
  void finish() noexcept override { microphone_->finish(); }
  void close() noexcept override { microphone_->close(); }
  std::chrono::milliseconds pace() const override { return microphone_->pace(); }
  std::string description() const override { return microphone_->description(); }

 private:
  std::unique_ptr<AudioSource> microphone_ = capture::make_microphone("pulse", "", std::make_shared<SystemClock>());
};

struct Decision {
  Frame end;  // of the window that decided
  TimePoint reported;
};

/// Half a second of a voice and half a second of very little, again and again.
test::Sound bursts(int count) {
  const test::Sound voice = test::resampled(test::read_sound(DICTUM_SAMPLE), kRate);
  std::mt19937 dice(1);
  std::uniform_real_distribution<float> noise(-0.0005F, 0.0005F);
  test::Sound sound{.sample_rate = kRate, .channels = 1, .samples = {}};
  const auto hush = [&](double seconds) {
    for (int i = 0; i < seconds * kRate; ++i) sound.samples.push_back(noise(dice));
  };
  hush(3);
  for (int i = 0; i < count; ++i) {
    const auto start = voice.samples.begin() + kRate * 4 / 5;  // where the sample begins to speak
    sound.samples.insert(sound.samples.end(), start, start + kRate / 2);
    hush(0.5 + 0.001 * static_cast<double>(i % 32));  // so that windows begin anywhere in a word
  }
  hush(1);
  return sound;
}

TimePoint moment_of(const std::vector<Moment>& moments, Frame frame) {
  const auto found = std::ranges::lower_bound(moments, frame, {}, &Moment::end);
  if (found == moments.end()) throw std::runtime_error("a decision about audio that never came");
  return found->at;
}

double percentile(std::vector<double> values, double part) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

int run(int segments) {
  test::VirtualMicrophone daemon;
  test::TemporaryDirectory folder;
  test::write_wav(folder / "bursts.wav", bursts(segments));
  watch.pushes.reserve(1 << 20);
  watch.first_pushed.reserve(5 * kRate);

  constexpr Frame kWindow = kRate * static_cast<Frame>(kVADWindow) / kVADSampleRate;
  constexpr Frame kSilence = (kMinSilenceMs * kVADSampleRate / 1000 + 511) / 512 * kWindow;
  std::mutex mutex;
  std::vector<Decision> starts;
  std::vector<Decision> ends;
  RecorderConfig config;
  config.source = [] { return std::make_unique<WatchedSource>(); };
  config.transcription.transcriber = "none";
  config.session.root = folder.path();
  config.vad.min_silence_ms = kMinSilenceMs;
  config.vad.post_roll_ms = kMinSilenceMs;
  RecorderBackend recorder(config, [&](const Event& event) {
    const TimePoint now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex);
    if (std::holds_alternative<SpeechDetected>(event.body)) starts.push_back({event.frame + kWindow, now});
    if (std::holds_alternative<SpeechEnded>(event.body)) ends.push_back({event.frame + kSilence, now});
  });
  daemon.play(folder / "bursts.wav");
  std::this_thread::sleep_for(500ms);  // so that what is recorded first is in the file, and found there
  recorder.start_recording();
  if (!daemon.wait_until_played(std::chrono::seconds(2 * segments + 30))) throw std::runtime_error("playing hangs");
  recorder.stop_recording();
  if (watch.has_gap) throw std::runtime_error("there was a gap: this machine has no time for a measurement");

  const auto first = std::span(watch.first_read).first(kMatched);
  const auto match = std::ranges::search(watch.first_pushed, first).begin();
  if (match == watch.first_pushed.end()) throw std::runtime_error("what was read first was never recorded");
  const Frame skipped = match - watch.first_pushed.begin();

  std::vector<double> all;
  std::vector<double> waiting;
  const auto take = [&](const std::vector<Decision>& decisions, const char* name) {
    std::vector<double> latencies;
    for (const Decision& decision : decisions) {
      const TimePoint came = moment_of(watch.pushes, skipped + decision.end);
      latencies.push_back(milliseconds(decision.reported - came));
      waiting.push_back(milliseconds(moment_of(watch.readings, decision.end) - came));
    }
    fmt::print("{:<16} {:4} events  median {:5.2f} ms  p90 {:5.2f} ms  p99 {:5.2f} ms  max {:5.2f} ms\n", name,
               latencies.size(), percentile(latencies, 0.5), percentile(latencies, 0.9), percentile(latencies, 0.99),
               percentile(latencies, 1));
    all.insert(all.end(), latencies.begin(), latencies.end());
  };
  if (starts.size() < static_cast<std::size_t>(segments) || ends.size() < starts.size()) {
    throw std::runtime_error(fmt::format("only {} of {} bursts became segments", starts.size(), segments));
  }
  take(starts, "SpeechDetected");
  ends.pop_back();  // which the stop may have ended
  take(ends, "SpeechEnded");
  const double median = percentile(all, 0.5);
  const double p99 = percentile(all, 0.99);
  const double floor = percentile(waiting, 0.5);
  fmt::print("from ring to callback: median {:.2f} ms (at most 15), p99 {:.2f} ms (at most 42), {} events\n", median,
             p99, all.size());
  fmt::print("of which the sample waits to be read: median {:.2f} ms, p99 {:.2f} ms; median in all / waiting: {:.2f}\n",
             floor, percentile(waiting, 0.99), median / floor);
  fmt::print("the resampler's delay from {} Hz: {:.2f} ms (at most 10)\n", kRate,
             audio::Resampler(kRate, kVADSampleRate).delay_ms());
  return median <= 15 && p99 <= 42 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count > 1 ? std::max(1, std::atoi(arguments[1])) : 200);
  } catch (const std::exception& error) {
    fmt::print(stderr, "live_latency: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
