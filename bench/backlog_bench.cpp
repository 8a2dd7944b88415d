// Ten thousand segments behind a worker that does not answer, then live audio: does capture notice?
//
//     build/release/bin/backlog_bench [SEGMENTS [LIVE_SECONDS]]        (10000 and 60 where nothing is said)
//
// Prints gaps, memory, how long the stop took and what it left; then finishes the session as `dictum resume` does and
// compares its transcript with that of the same audio recorded with a worker that answers. Exit code 1 where something
// does not hold.

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "api/resume.hpp"
#include "dictum/recorder_backend.hpp"

namespace {

using namespace dictum;
using namespace std::chrono_literals;

constexpr int kRate = 16000;
constexpr Frame kSpeech = 3 * kRate / 10;
constexpr Frame kPeriod = kSpeech + 2 * kRate / 10;

/// Half a second of tone and silence, again and again: so many times as fast as it is read, then in real time.
class Bursts final : public AudioSource {
 public:
  Bursts(int fast_segments, double live_sec)
      : fast_until_(fast_segments * kPeriod), end_(fast_until_ + static_cast<Frame>(live_sec * kRate)) {}

  AudioFormat open() override { return {.sample_rate = kRate, .channels = 1}; }
  Reading read(std::span<float> samples) override {
    Frame until = fast_until_;
    if (at_ >= fast_until_) {
      if (!live_since_) live_since_ = std::chrono::steady_clock::now();
      const std::chrono::duration<double> live = std::chrono::steady_clock::now() - *live_since_;
      until = std::min(end_, fast_until_ + static_cast<Frame>(live.count() * kRate));
    }
    std::size_t frames = 0;
    for (; frames < samples.size() && at_ < until; ++frames, ++at_) {
      samples[frames] = at_ % kPeriod < kSpeech ? 0.5F * std::sin(static_cast<float>(at_ % 100) * 0.0628F) : 0.0F;
    }
    Reading reading{.frames = frames};
    if (at_ == end_) reading.then = SourceEnd{};
    return reading;
  }
  void close() noexcept override {}
  std::string description() const override { return "bursts"; }
  std::chrono::milliseconds pace() const override { return at_ < fast_until_ ? 0ms : 20ms; }

 private:
  const Frame fast_until_;
  const Frame end_;
  Frame at_ = 0;
  std::optional<std::chrono::steady_clock::time_point> live_since_;
};

/// Detects the tone.
class ToneDetector final : public VoiceActivityDetector {
 public:
  float probability(std::span<const float, kVADWindow> window) override {
    float peak = 0;
    for (const float sample : window) peak = std::max(peak, std::abs(sample));
    return peak > 0.1F ? 1.0F : 0.0F;
  }
  void reset() override {}
  std::string_view name() const override { return "tone"; }
};

double memory_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

RecorderConfig configuration(const std::filesystem::path& root, int segments, double live_sec) {
  RecorderConfig config;
  config.source = [=] { return std::make_unique<Bursts>(segments, live_sec); };
  config.detector = [] { return std::make_unique<ToneDetector>(); };
  config.vad.min_silence_ms = 96;
  config.vad.pre_roll_ms = 0;
  config.session.root = root;
  config.transcription.transcriber = "simulated";
  config.transcription.deadline_base_sec = 86400;
  return config;
}

bool check(bool holds, const std::string& what) {
  fmt::print("{}  {}\n", holds ? "ok" : "!!", what);
  return holds;
}

}  // namespace

int main(int argc, char** argv) {
  const int segments = argc > 1 ? std::atoi(argv[1]) : 10000;
  const double live_sec = argc > 2 ? std::atof(argv[2]) : 60;
  const auto root = std::filesystem::temp_directory_path() / fmt::format("dictum-backlog-{}", getpid());
  std::filesystem::create_directories(root);
  bool good = true;

  std::ofstream(root / "stalled.json") << R"({"latency_ms": 86400000})";
  RecorderConfig stalled = configuration(root / "stalled", segments, live_sec);
  stalled.transcription.simulated_script = root / "stalled.json";
  std::filesystem::path session;
  {
    std::atomic<int> segments_ended{0};
    std::atomic<int> gaps{0};
    std::atomic<bool> ended{false};
    std::string left;
    RecorderBackend recorder(stalled, [&](const Event& event) {
      if (std::holds_alternative<SpeechEnded>(event.body)) segments_ended.fetch_add(1), segments_ended.notify_all();
      if (std::holds_alternative<AudioGap>(event.body)) ++gaps;
      if (const auto* fault = std::get_if<RecorderFault>(&event.body)) left = fault->message;
      if (const auto* state = std::get_if<RecordingStateChanged>(&event.body);
          state != nullptr && !state->is_recording) {
        ended = true;
        ended.notify_all();
      }
    });
    const double before = memory_mb();
    recorder.start_recording();
    for (int now = segments_ended; now < segments; now = segments_ended) segments_ended.wait(now);
    const double behind = memory_mb();
    ended.wait(false);
    const double after = memory_mb();
    const auto began = std::chrono::steady_clock::now();
    recorder.stop_recording(1s);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    session = recorder.get_session_path();
    good &= check(gaps == 0, fmt::format("{} segments, then {} s live: {} gaps", segments, live_sec, gaps.load()));
    good &= check(after - before < 10,
                  fmt::format("memory: {:.1f} MB at the start, {:.1f} with the backlog, {:.1f} after the "
                              "live part",
                              before, behind, after));
    good &= check(took < 1.5s, fmt::format("a stop that drains for 1 s took {:.2f} s", took.count()));
    good &= check(!left.empty(), "it says: " + left);
  }

  RecorderConfig answering = configuration(root / "answering", segments, live_sec);
  answering.transcription.workers = 2;
  api::resume_session(answering, session, {}, [](const Event&) {});
  {
    std::atomic<bool> ended{false};
    RecorderBackend undisturbed(answering, [&](const Event& event) {
      if (const auto* state = std::get_if<RecordingStateChanged>(&event.body);
          state != nullptr && !state->is_recording) {
        ended = true;
        ended.notify_all();
      }
    });
    undisturbed.start_recording();
    ended.wait(false);
    undisturbed.stop_recording(-1s);
    good &= check(
        contents(session / "transcript_raw.txt") == contents(undisturbed.get_session_path() / "transcript_raw.txt"),
        "resumed, the transcript is that of an undisturbed recording");
  }
  std::filesystem::remove_all(root);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
