#include "chaos.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "processes.hpp"
#include "simulated_script.hpp"
#include "support/given_job.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::transcription {
namespace {

using namespace std::chrono_literals;
using Behaviour = SimulatedStep::Behaviour;

/// Whether `code` is what a last attempt gives that misbehaved so. That the worker was killed is always possible.
bool explains(Behaviour behaviour, const std::string& code) {
  if (code == "worker_died" || code == "quarantined") return true;
  if (behaviour == Behaviour::hang) return code == "deadline_exceeded";
  if (behaviour == Behaviour::garbage) return code == "worker_protocol";
  if (behaviour == Behaviour::flood) return code == "worker_protocol" || code == "deadline_exceeded";
  return false;
}

class Chaos {
 public:
  explicit Chaos(const ChaosSettings& settings) : settings_(settings), random_(settings.seed) {
    const std::string script = fmt::format(R"({{"seed":{},"misbehave":{},"latency_ms":{},"log":"{}"}})", settings.seed,
                                           settings.misbehave, settings.latency.count(), (folder_ / "log").string());
    std::ofstream(folder_ / "script.json") << script;
    script_ = SimulatedScript::parse(script);
  }

  ChaosReport run() {
    WorkerPoolSettings pool;
    pool.name = "simulated";
    pool.executable = programs() / "dictum-worker-simulated";
    pool.guard = programs() / "dictum-guard";
    pool.environment = {{"DICTUM_SIMULATED_SCRIPT", folder_ / "script.json"}};
    pool.workers = settings_.workers;
    pool.deadline_base = settings_.deadline;
    pool.deadline_per_sec = 0s;
    pool.backoff = 10ms;
    pool_ = std::make_unique<WorkerPool>(io_.get_executor(), pool, std::make_shared<SystemClock>(), WorkerPoolEvents());

    const auto begin = std::chrono::steady_clock::now();
    answered_.resize(settings_.segments);
    for (std::uint32_t segment = 0; segment < settings_.segments; ++segment) transcribe(segment);
    kill_again();
    io_.run_for(settings_.patience);
    report_.time = std::chrono::steady_clock::now() - begin;
    if (early_memory_) {
      report_.memory_growth =
          static_cast<std::ptrdiff_t>(resident_bytes()) - static_cast<std::ptrdiff_t>(*early_memory_);
    }
    pool_.reset();
    io_.restart();
    io_.run_for(5s);
    const auto left = [&] { return processes_with(folder_.path().string()).size(); };
    soon([&] { return left() == 0; }, 1s);
    report_.left_behind = left();
    std::ifstream log(folder_ / "log");
    for (std::string line; std::getline(log, line);) report_.workers_started += line.starts_with("hello ") ? 1 : 0;
    return report_;
  }

 private:
  void transcribe(std::uint32_t segment) {
    TranscriptionJob job;
    job.session = "20261122_154501";
    job.segment_index = segment;
    job.wav_path = folder_ / fmt::format("seg_{:04}.wav", segment);
    job.end_frame = job.sample_rate = 16'000;
    test::transcribe(*pool_, job, [this, segment](const TranscriptionOutcome& outcome) { take(segment, outcome); });
  }

  void take(std::uint32_t segment, const TranscriptionOutcome& outcome) {
    ++report_.outcomes;
    if (answered_[segment]) ++report_.doubled;
    answered_[segment] = true;
    if (!outcome.error) {
      ++(outcome.text == script_.text(segment) ? report_.own_text : report_.foreign_text);
    } else {
      ++report_.failures[outcome.error->code];
      if (!explains(script_.step(segment, 3).behaviour, outcome.error->code)) ++report_.wrong_reasons;
    }
    if (report_.outcomes == settings_.segments / 10) early_memory_ = resident_bytes();
    if (report_.outcomes < settings_.segments) return;
    killer_->cancel();
    io_.stop();
  }

  void kill_again() {
    killer_->start(settings_.kill_every, [this] {
      std::vector<pid_t> workers;
      for (const pid_t pid : processes_with(folder_.path().string())) {
        std::ifstream in(fmt::format("/proc/{}/comm", pid));
        std::string name;
        if (std::getline(in, name) && name.starts_with("dictum-worker")) workers.push_back(pid);
      }
      // One kill for each outcome at most: whether there is progress must not depend on the machine's speed.
      if (!workers.empty() && report_.outcomes > std::exchange(outcomes_at_kill_, report_.outcomes)) {
        ::kill(workers[random_() % workers.size()], SIGKILL);
        ++report_.kills;
      }
      kill_again();
    });
  }

  const ChaosSettings settings_;
  test::TemporaryDirectory folder_;
  SimulatedScript script_;
  std::mt19937_64 random_;
  boost::asio::io_context io_;
  const std::unique_ptr<Timer> killer_ = SystemTimers().make_timer(io_.get_executor());
  std::unique_ptr<WorkerPool> pool_;
  std::vector<bool> answered_;
  std::size_t outcomes_at_kill_ = 0;
  std::optional<std::size_t> early_memory_;
  ChaosReport report_;
};

}  // namespace

ChaosReport run_chaos(const ChaosSettings& settings) {
  return Chaos(settings).run();
}

}  // namespace dictum::transcription
