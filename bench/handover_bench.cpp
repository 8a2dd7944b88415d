// What the pool costs: from handing a segment over to the worker having it, and of whole jobs beside calling the engine
// directly.
//
//   build/release/bin/handover_bench [TRANSCRIBER WAV]      pocketsphinx and samples/voice_note.wav unless said
//   otherwise
//
// The engine of the first two parts is a worker process of this very program, which does nothing, or counts for a given
// time, and reports when the job came. Times are of one clock, CLOCK_MONOTONIC, in both processes. The third part
// counts and times model loads of a real transcriber: kept warm, and started anew for every segment, as a command line
// program is.

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/error.hpp"
#include "support/given_job.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/worker_lookup.hpp"
#include "transcription/worker_main.hpp"
#include "transcription/worker_pool.hpp"

namespace {

using namespace dictum;
using namespace dictum::transcription;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int kHandovers = 500;
constexpr int kJobs = 20;
constexpr auto kWork = 100ms;  // of the processor: an engine that is quick for a segment
constexpr int kSegments = 5;

/// Keeps the processor busy for so long. What an engine does, as the pool sees it.
void compute(Clock::duration time) {
  volatile double sink = 0;
  for (const auto end = Clock::now() + time; Clock::now() < end;) {
    for (int i = 0; i < 1000; ++i) sink = std::sqrt(sink + i);
  }
}

/// A job whose session is "work" takes kWork; the text of every answer is when it came.
class Engine final : public WorkerEngine {
 public:
  Hello describe() const override { return {.engine = "handover"}; }
  Result transcribe(const Job& job, std::stop_token, JobSink&) override {
    const auto came = Clock::now().time_since_epoch().count();
    if (job.session == "work") compute(kWork);
    return {.id = job.id, .text = std::to_string(came)};
  }
};

/// A pool and the loop that runs it, on the caller's thread.
class Bench {
 public:
  explicit Bench(WorkerPoolSettings settings) {
    settings.guard = find_guard();
    WorkerPoolEvents events;
    events.on_status = [this](const WorkerStatus& status) { loads_ += status.state == WorkerState::ready ? 1 : 0; };
    pool_ = std::make_unique<WorkerPool>(io_.get_executor(), settings, std::make_shared<SystemClock>(), events);
  }

  TranscriptionOutcome transcribe(const std::string& session, const std::filesystem::path& wav = "/tmp/seg_0000.wav") {
    TranscriptionJob job;
    job.session = session;
    job.wav_path = wav;
    job.end_frame = job.sample_rate = 16'000;
    std::optional<TranscriptionOutcome> outcome;
    test::transcribe(*pool_, job, [&](TranscriptionOutcome answer) { outcome = std::move(answer); });
    io_.restart();
    while (!outcome) io_.run_one();
    if (outcome->error) throw RecorderError(Errc::transcription_failed, outcome->error->message);
    return *std::move(outcome);
  }

  int loads() const { return loads_; }

 private:
  boost::asio::io_context io_;
  std::unique_ptr<WorkerPool> pool_;
  int loads_ = 0;
};

WorkerPoolSettings own_worker() {
  WorkerPoolSettings settings;
  settings.name = "handover";
  settings.executable = std::filesystem::read_symlink("/proc/self/exe");
  settings.environment["DICTUM_HANDOVER_WORKER"] = "1";
  return settings;
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

bool handover(Bench& bench) {
  std::vector<double> times;
  for (int i = 0; i < kHandovers; ++i) {
    const auto begin = Clock::now();
    const Clock::time_point came(Clock::duration(std::stoll(bench.transcribe("idle").text)));
    times.push_back(Milliseconds(came - begin).count());
  }
  std::ranges::sort(times);
  const double middle = times[times.size() / 2];
  fmt::print("hand-over to a warm worker: median {:.3f} ms, 99 % {:.3f} ms, worst {:.3f} ms (limit: median 2 ms)\n",
             middle, times[times.size() * 99 / 100], times.back());
  return middle <= 2;
}

bool overhead(Bench& bench) {
  Engine engine;
  struct Nobody final : JobSink {
    void partial(const std::string&) override {}
    void progress(double) override {}
  } nobody;
  std::vector<double> ratios;
  for (int i = 0; i < kJobs; ++i) {  // in turn, so that a busy machine is equally hard on both
    const auto begin = Clock::now();
    engine.transcribe({.id = 1, .wav = {}, .session = "work"}, {}, nobody);
    const auto between = Clock::now();
    bench.transcribe("work");
    ratios.push_back(Milliseconds(Clock::now() - between) / Milliseconds(between - begin));
  }
  const double ratio = median(ratios);
  fmt::print("a job through the pool beside the engine called directly: {:.4f} times as long (limit: 1.02)\n", ratio);
  return ratio <= 1.02;
}

/// A second of faint noise at 16 kHz.
void write_wav(const std::filesystem::path& file) {
  constexpr std::string_view kHeader(
      "RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\x7d\0\0", 44);
  std::ofstream out(file, std::ios::binary);
  out << kHeader;
  std::minstd_rand random(1);
  for (int i = 0; i < 16'000; ++i) out.put(static_cast<char>(random() % 256)).put(0);
}

void loads(const std::string& transcriber) {
  const test::TemporaryDirectory folder;
  const std::filesystem::path wav = folder / "second.wav";
  write_wav(wav);
  WorkerPoolSettings settings;
  settings.name = transcriber;
  settings.executable = find_worker(transcriber);

  int warm_loads = 0;
  int cold_loads = 0;
  const auto begin = Clock::now();
  {
    Bench warm(settings);
    for (int i = 0; i < kSegments; ++i) warm.transcribe("warm", wav);
    warm_loads = warm.loads();
  }
  const auto between = Clock::now();
  for (int i = 0; i < kSegments; ++i) {
    Bench cold(settings);
    cold.transcribe("cold", wav);
    cold_loads += cold.loads();
  }
  const Milliseconds warm_time = between - begin;
  const Milliseconds cold_time = Clock::now() - between;
  fmt::print(
      "{} segments by {}: warm {} model load(s) and {:.0f} ms, started anew {} and {:.0f} ms, {:.2f} times as "
      "long\n",
      kSegments, transcriber, warm_loads, warm_time.count(), cold_loads, cold_time.count(), cold_time / warm_time);
}

}  // namespace

int main(int argc, char** argv) {
  if (std::getenv("DICTUM_HANDOVER_WORKER") != nullptr) {
    return run_worker([] { return std::make_unique<Engine>(); });
  }
  try {
    Bench bench(own_worker());
    bench.transcribe("warm up");
    const bool quick = handover(bench);
    const bool light = overhead(bench);
    loads(argc > 1 ? argv[1] : "pocketsphinx");
    return quick && light ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const RecorderError& error) {
    fmt::print("{}\n", error.what());
    return EXIT_FAILURE;
  }
}
