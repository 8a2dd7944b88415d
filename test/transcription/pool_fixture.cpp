#include "pool_fixture.hpp"

#include <algorithm>
#include <fstream>

#include "support/given_job.hpp"

namespace dictum::transcription {

using namespace std::chrono_literals;

PoolFixture::PoolFixture() {
  settings.name = "simulated";
  settings.executable = programs() / "dictum-worker-simulated";
  settings.guard = programs() / "dictum-guard";
  settings.backoff = 5ms;
  settings.start_patience = 0ms;
  settings.deadline_base = 10s;
  settings.deadline_per_sec = 0s;
  settings.environment["DICTUM_TEST_MARKER"] = folder.path();
  script("{}");
}

PoolFixture::~PoolFixture() {
  pool.reset();
  io.restart();
  io.run_for(5s);  // until the last guard has been reaped
  EXPECT_EQ(processes().size(), 0) << "processes left behind";
}

void PoolFixture::script(const std::string& json) {
  const std::string log = R"({"log":")" + (folder / "log").string() + '"';
  std::ofstream(folder / "script.json") << log << (json == "{}" ? "" : ",") << json.substr(1);
  settings.environment["DICTUM_SIMULATED_SCRIPT"] = folder / "script.json";
}

WorkerPool& PoolFixture::make_pool() {
  WorkerPoolEvents events;
  events.on_status = [this](WorkerStatus status) { statuses.push_back(std::move(status)); };
  events.on_partial = [this](const std::string&, std::uint32_t segment, std::string text, std::size_t stable) {
    partials.push_back({segment, std::move(text), stable});
  };
  pool = std::make_unique<WorkerPool>(io.get_executor(), settings, std::make_shared<SystemClock>(), events);
  return *pool;
}

TranscriptionJob PoolFixture::job(std::uint32_t segment, double seconds) const {
  TranscriptionJob job;
  job.session = "20261122_154501";
  job.segment_index = segment;
  job.wav_path = folder / ("seg_" + std::to_string(segment) + ".wav");
  job.start_frame = segment * 160'000;
  job.end_frame = job.start_frame + static_cast<Frame>(seconds * 16'000);
  job.sample_rate = 16'000;
  return job;
}

void PoolFixture::transcribe(std::uint32_t segment) {
  test::transcribe(*pool, job(segment), [this, segment](TranscriptionOutcome outcome) {
    if (!done.emplace(segment, std::move(outcome)).second) ++doubled;
  });
}

bool PoolFixture::run_until(const std::function<bool()>& condition, std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  io.restart();
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    // In slices, since a condition may be about another process, which wakes nobody here.
    io.run_one_for(2ms);
    if (io.stopped()) io.restart();
  }
  return true;
}

std::vector<std::string> PoolFixture::log() const {
  std::ifstream in(folder / "log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::size_t PoolFixture::logged(const std::string& first_word) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(log(), [&](const std::string& line) { return line.starts_with(first_word + " "); }));
}

}  // namespace dictum::transcription
