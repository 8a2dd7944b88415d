// Segments through simulated workers of which a tenth of all attempts crashes, hangs, floods, answers twice or writes
// garbage, while a random worker is killed every 100 ms. Beside it the same segments through workers that behave.
//
//   build/release/bin/chaos_bench [SEGMENTS [SEED]]      1000 segments and seed 1 unless said otherwise
//
// The exit code is 1 where a segment was lost, doubled, given another's text or a wrong reason, or a process was left.

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "chaos.hpp"

namespace {

using dictum::transcription::ChaosReport;
using dictum::transcription::ChaosSettings;

void print(const char* title, const ChaosReport& report) {
  fmt::print("{:<12} {:6.2f} s  {} outcomes, {} with their own text", title, report.time.count(), report.outcomes,
             report.own_text);
  for (const auto& [code, count] : report.failures) fmt::print(", {} {}", count, code);
  fmt::print("\n{:12} {} workers started, {} killed from outside, memory {:+.1f} MB, {} processes left behind\n", "",
             report.workers_started, report.kills, static_cast<double>(report.memory_growth) / (1 << 20),
             report.left_behind);
}

bool holds(const ChaosSettings& settings, const ChaosReport& report) {
  return report.outcomes == settings.segments && report.doubled == 0 && report.foreign_text == 0 &&
         static_cast<double>(report.own_text) >= 0.95 * settings.segments && report.wrong_reasons == 0 &&
         report.left_behind == 0 && report.memory_growth < 4 << 20;
}

}  // namespace

int main(int argc, char** argv) {
  ChaosSettings chaos;
  if (argc > 1) chaos.segments = static_cast<std::uint32_t>(std::stoul(argv[1]));
  if (argc > 2) chaos.seed = std::stoull(argv[2]);
  ChaosSettings calm = chaos;
  calm.misbehave = 0;
  calm.kill_every = std::chrono::hours(1);

  const ChaosReport peaceful = dictum::transcription::run_chaos(calm);
  print("undisturbed", peaceful);
  const ChaosReport wild = dictum::transcription::run_chaos(chaos);
  print("chaos", wild);
  fmt::print("chaos takes {:.2f} times as long\n", wild.time / peaceful.time);
  const bool good = holds(calm, peaceful) && holds(chaos, wild);
  if (!good)
    fmt::print("FAILED: {} doubled, {} foreign, {} wrong reasons\n", wild.doubled, wild.foreign_text,
               wild.wrong_reasons);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
