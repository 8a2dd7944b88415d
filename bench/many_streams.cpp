// Many live streams in one process, at the pace of microphones, each a session of its own on disk:
//
//     build/release/bin/many_streams [STREAMS [SECONDS [FOLDER [power|crash]]]]   (300 and 60, in memory, power)
//
// Every stream gets 16 kHz in blocks of 20 ms, from a place of its own in a recording. The recorders share one pool of
// threads, as those of `dictum serve` do. How late the end of a segment is known: from the moment when the last sample
// of the silence behind it was due to the moment when the callback was called; the thread that feeds the streams shares
// the processors. Nothing is transcribed. Prints one line; exit code 1 where a stream lost audio or reported a fault,
// or where 1 in 1000 ends is known more than 50 ms late.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dictum/async_recorder_backend.hpp"
#include "dictum/push_source.hpp"
#include "support/sounds.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace dictum;
using namespace std::chrono_literals;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr int kRate = 16000;
constexpr std::size_t kBlock = kRate / 50;
constexpr auto kBlockTime = 20ms;
constexpr int kPhases = 10;  // streams are fed at ten times within a block
constexpr Frame kSilence = kRate * 8 / 10;
constexpr double kMaxLateMs = 50;
constexpr std::size_t kThreads = 4;

/// One stream. Fed by one thread; its callback runs on the loop.
class Stream {
 public:
  Stream(boost::asio::io_context& loop, boost::asio::thread_pool& pool, RecorderConfig config, std::size_t place)
      : place_(place) {
    config.source = source_.source_factory();
    backend_ = std::make_unique<AsyncRecorderBackend>(
        loop.get_executor(), std::move(config), [this](const Event& event) { take(event); }, pool.get_executor());
  }

  std::future<void> start() { return backend_->start_recording(boost::asio::use_future); }
  std::future<void> stop() {
    is_stopping_ = true;
    return backend_->stop_recording(boost::asio::use_future);
  }

  /// The first block is due a block later.
  void begin(TimePoint at) { begin_ = at; }

  void feed(const std::vector<float>& sound) {
    const auto block = std::span(sound).subspan(place_, kBlock);
    place_ = (place_ + kBlock) % (sound.size() - kBlock);
    if (source_.push(block) < kBlock) ++overflows;
  }

  std::vector<double> late;  // milliseconds
  std::size_t faults = 0;
  std::string first_fault;
  std::size_t overflows = 0;

 private:
  void take(const Event& event) {
    if (is_stopping_) return;  // what is reported of the whole recording then is no fault of its speed
    if (const auto* fault = std::get_if<RecorderFault>(&event.body)) {
      if (faults++ == 0) first_fault = fault->message;
    }
    if (std::holds_alternative<AudioGap>(event.body)) ++faults;
    if (!std::holds_alternative<SpeechEnded>(event.body)) return;
    const Frame decided = event.frame + kSilence;
    const auto due = begin_ + kBlockTime * ((decided - 1) / static_cast<Frame>(kBlock) + 1);
    late.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - due).count());
  }

  std::atomic<bool> is_stopping_{false};
  std::size_t place_;  // of the next block
  PushSource source_{{.sample_rate = kRate, .channels = 1}, 2s};
  TimePoint begin_;
  std::unique_ptr<AsyncRecorderBackend> backend_;
};

/// Feeds every stream until the end; returns by how much the last block was late.
std::chrono::nanoseconds feed(std::vector<std::unique_ptr<Stream>>& streams, const std::vector<float>& sound,
                              TimePoint begin, std::chrono::seconds time) {
  const auto ticks = time / (kBlockTime / kPhases);
  const auto tick_time = kBlockTime / kPhases;
  for (int tick = 0; tick < ticks; ++tick) {
    std::this_thread::sleep_until(begin + kBlockTime + tick_time * tick);
    for (std::size_t i = static_cast<std::size_t>(tick % kPhases); i < streams.size(); i += kPhases) {
      streams[i]->feed(sound);
    }
  }
  return std::chrono::steady_clock::now() - begin - time - kBlockTime + tick_time;
}

double percentile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(part * static_cast<double>(sorted.size())))];
}

double value_of(const char* file, std::string_view name) {
  std::ifstream status(file);
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::stod(line.substr(name.size()));
  }
  return 0;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& value) {
    return static_cast<double>(value.tv_sec) + static_cast<double>(value.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool run(std::size_t count, std::chrono::seconds time, const std::filesystem::path& root, const char* durability) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  const test::Sound sound = test::resampled(test::read_sound(DICTUM_SAMPLE), kRate);
  RecorderConfig config;
  config.session.root = root;
  config.session.durability = durability;
  config.transcription.transcriber = "none";

  boost::asio::io_context loop(1);
  auto work = boost::asio::make_work_guard(loop);
  std::thread loop_thread([&] { loop.run(); });
  boost::asio::thread_pool pool(kThreads);
  std::vector<std::unique_ptr<Stream>> streams;
  for (std::size_t i = 0; i < count; ++i) {
    streams.push_back(
        std::make_unique<Stream>(loop, pool, config, i * 7919 * kBlock % (sound.samples.size() - kBlock)));
  }
  const TimePoint before_start = std::chrono::steady_clock::now();
  std::vector<std::future<void>> started;
  for (const auto& stream : streams) started.push_back(stream->start());
  for (auto& each : started) each.get();
  const std::chrono::duration<double> starting = std::chrono::steady_clock::now() - before_start;

  const TimePoint begin = std::chrono::steady_clock::now() + 100ms;
  for (std::size_t i = 0; i < count; ++i) {
    streams[i]->begin(begin + kBlockTime / kPhases * static_cast<int>(i % kPhases));
  }
  const double cpu_before = cpu_seconds();
  const auto behind = feed(streams, sound.samples, begin, time);
  const double cores = (cpu_seconds() - cpu_before) / std::chrono::duration<double>(time + behind).count();
  const double memory = value_of("/proc/self/status", "VmRSS:") / 1024;
  const double threads = value_of("/proc/self/status", "Threads:");
  const auto descriptors = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});

  const TimePoint before_stop = std::chrono::steady_clock::now();
  std::vector<std::future<void>> stopped;
  for (const auto& stream : streams) stopped.push_back(stream->stop());
  for (auto& each : stopped) each.get();
  const std::chrono::duration<double> stopping = std::chrono::steady_clock::now() - before_stop;
  work.reset();
  loop_thread.join();

  std::vector<double> late;
  std::size_t faults = 0;
  std::size_t overflows = 0;
  std::string fault;
  for (const auto& stream : streams) {
    if (fault.empty()) fault = stream->first_fault;
    late.insert(late.end(), stream->late.begin(), stream->late.end());
    faults += stream->faults;
    overflows += stream->overflows;
  }
  streams.clear();
  pool.join();
  std::ranges::sort(late);
  const double p999 = percentile(late, 0.999);
  fmt::print(
      "{:5} streams  {:6} segments  late p50 {:5.1f} p99 {:5.1f} p99.9 {:6.1f} max {:6.1f} ms  {:.2f} cores  {:5.0f} "
      "MB  "
      "{:.0f} threads  {} descriptors  started in {:.2f} s, stopped in {:.2f} s  overflows {} faults {} feeder behind "
      "{:.0f} ms\n",
      count, late.size(), percentile(late, 0.5), percentile(late, 0.99), p999, late.empty() ? 0 : late.back(), cores,
      memory, threads, descriptors, starting.count(), stopping.count(), overflows, faults,
      std::chrono::duration<double, std::milli>(behind).count());
  if (!fault.empty()) fmt::print("the first fault: {}\n", fault);
  return overflows == 0 && faults == 0 && !late.empty() && p999 <= kMaxLateMs;
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = static_cast<std::size_t>(argc > 1 ? std::atoi(argv[1]) : 300);
  const std::chrono::seconds time(argc > 2 ? std::atoi(argv[2]) : 60);
  const char* durability = argc > 4 ? argv[4] : "power";
  try {
    if (argc > 3 && std::string_view(argv[3]) != "-") return run(count, time, argv[3], durability) ? 0 : 1;
    const test::TemporaryDirectory folder(test::Medium::memory);
    return run(count, time, folder.path(), durability) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "many_streams: {}\n", error.what());
    return 2;
  }
}
