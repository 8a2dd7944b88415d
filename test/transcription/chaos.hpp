#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace dictum::transcription {

/// Segments through workers that misbehave, while more of them are killed.
struct ChaosSettings {
  std::uint32_t segments = 1000;
  int workers = 4;
  double misbehave = 0.1;  ///< share of all attempts
  std::uint64_t seed = 1;
  std::chrono::milliseconds deadline{500};
  std::chrono::milliseconds latency{20};        ///< of a good answer
  std::chrono::milliseconds kill_every{100};    ///< one worker, at random, with SIGKILL
  std::chrono::milliseconds patience{300'000};  ///< with the whole run
};

struct ChaosReport {
  std::size_t outcomes{};
  std::size_t doubled{};                        ///< outcomes for a segment that had one
  std::size_t own_text{};                       ///< segments with the right text
  std::size_t foreign_text{};                   ///< segments with another's
  std::map<std::string, std::size_t> failures;  ///< by code
  std::size_t wrong_reasons{};                  ///< failures whose code is not what the script and the kills explain
  std::size_t kills{};
  std::size_t workers_started{};
  std::size_t left_behind{};       ///< processes, one second after the end
  std::ptrdiff_t memory_growth{};  ///< bytes, from a tenth of the run to its end
  std::chrono::duration<double> time{};
};

ChaosReport run_chaos(const ChaosSettings& settings);

}  // namespace dictum::transcription
