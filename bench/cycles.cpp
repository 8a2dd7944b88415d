// Does a recorder that is made, started and ended again and again leave anything behind? Threads, descriptors and
// processes are counted after every cycle, and memory over all of them; the first half of the cycles fills the caches
// and is the baseline of the second.
//
//   build/release/bin/cycles [CYCLES [SEED]]      1000 cycles of seed 1 unless said otherwise
//
// Fails where a cycle leaves a thread, a descriptor or a process, or where memory grows by more than 2 KiB a cycle over
// the second half (but for a sanitizer's build: it keeps what it has seen).

#include "recorder/cycles.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <map>

#include "transcription/processes.hpp"

int main(int count, char** arguments) {
  using namespace dictum::test;
  const Cycles cycles{.count = count > 1 ? std::atoi(arguments[1]) : 1000,
                      .seed = count > 2 ? static_cast<std::uint32_t>(std::atoi(arguments[2])) : 1};
  const auto began = std::chrono::steady_clock::now();
  const Holdings at_first = holdings();
  fmt::print("before: {} threads, {} descriptors, {} children, {} KiB\n", at_first.threads, at_first.descriptors,
             at_first.children, at_first.resident_bytes / 1024);
  std::map<int, std::size_t> memory;  // by cycle
  try {
    run_cycles(cycles, [&](int cycle) {
      if ((cycle + 1) % std::max(1, cycles.count / 10) != 0) return;
      const Holdings now = holdings();
      memory[cycle + 1] = now.resident_bytes;
      fmt::print("{:6} cycles: {} threads, {} descriptors, {} children, {} KiB\n", cycle + 1, now.threads,
                 now.descriptors, now.children, now.resident_bytes / 1024);
      std::fflush(stdout);
    });
  } catch (const std::exception& error) {
    fmt::print("FAILED: {}\n", error.what());
    return 1;
  }
  const auto half = memory.lower_bound(cycles.count / 2);
  const auto last = std::prev(memory.end());
  const double growth =
      (static_cast<double>(last->second) - static_cast<double>(half->second)) / std::max(1, last->first - half->first);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} cycles in {:.1f} s; memory over the second half: {:+.2f} KiB a cycle\n", cycles.count, took.count(),
             growth / 1024);
  return growth > 2048 && !dictum::transcription::kSanitized ? 1 : 0;
}
