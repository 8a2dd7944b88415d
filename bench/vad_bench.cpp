// What a window of each detector costs, alone and in batches, on every kind of vector unit that this processor has, and
// what loading the weights costs. bench/vad_ratios.py compares it with ONNX Runtime and PyTorch.
//
//   ninja -C build/release vad_bench && build/release/bin/vad_bench
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vad/detector.hpp"
#include "vad/embedded_model.hpp"
#include "vad/silero_batch.hpp"
#include "vad/silero_vad.hpp"
#include "vad/simd_target.hpp"

namespace {

using namespace dictum;

/// Noise; the time of a window does not depend on what is in it.
std::vector<float> ten_seconds() {
  std::vector<float> samples(312 * kVADWindow);
  std::uint32_t state = 1;
  for (float& sample : samples) {
    state = state * 1664525u + 1013904223u;
    sample = (static_cast<float>(state >> 8) / 8388608.0f - 1.0f) * 0.1f;
  }
  return samples;
}

void run(benchmark::State& state, VoiceActivityDetector& detector) {
  const auto samples = ten_seconds();
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(detector.probability(std::span(samples).subspan(at).first<kVADWindow>()));
    at = (at + kVADWindow) % samples.size();
  }
  constexpr double window_seconds = static_cast<double>(kVADWindow) / kVADSampleRate;
  state.counters["times_real_time"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * window_seconds, benchmark::Counter::kIsRate);
}

/// The time is that of one window of each stream; the counter `per_window` divides it by the streams.
void run_batch(benchmark::State& state, std::shared_ptr<const vad::SileroWeights> weights, std::size_t streams) {
  const auto samples = ten_seconds();
  std::vector<vad::SileroVAD> detectors(streams, vad::SileroVAD(weights));
  vad::SileroBatch batch(weights);
  std::size_t at = 0;
  for (auto _ : state) {
    for (auto& detector : detectors) batch.add(detector, std::span(samples).subspan(at).first<kVADWindow>());
    benchmark::DoNotOptimize(batch.run().data());
    at = (at + kVADWindow) % samples.size();
  }
  state.counters["per_window"] = benchmark::Counter(
      static_cast<double>(streams), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;

  const auto weights = vad::embedded_weights();
  if (weights) {
    benchmark::RegisterBenchmark("silero", [&](benchmark::State& state) {
      run(state, *vad::make_detector("silero", weights).detector);
    })->Unit(benchmark::kMicrosecond);
    for (const vad::SIMDTarget& target : vad::simd_targets()) {
      const auto name = "silero/" + target.name;
      benchmark::RegisterBenchmark(name.c_str(), [&weights, target](benchmark::State& state) {
        vad::choose_kernels(target);
        run(state, *vad::make_detector("silero", weights).detector);
        vad::choose_kernels(vad::simd_targets().front());
      })->Unit(benchmark::kMicrosecond);
    }
    for (const std::size_t streams : {4u, 16u, 64u}) {
      const auto name = "silero_batch/" + std::to_string(streams);
      benchmark::RegisterBenchmark(name.c_str(), [&weights, streams](benchmark::State& state) {
        run_batch(state, weights, streams);
      })->Unit(benchmark::kMicrosecond);
    }
    benchmark::RegisterBenchmark("load_weights", [](benchmark::State& state) {
      for (auto _ : state) benchmark::DoNotOptimize(vad::SileroWeights::load(vad::embedded_model()));
    })->Unit(benchmark::kMicrosecond);
  }
  benchmark::RegisterBenchmark("energy", [](benchmark::State& state) {
    run(state, *vad::make_detector("energy", nullptr).detector);
  })->Unit(benchmark::kMicrosecond);
  benchmark::RunSpecifiedBenchmarks();
}
