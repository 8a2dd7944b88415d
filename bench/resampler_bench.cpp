// What 32 ms of audio, one window of the detector, cost on their way in: our resampler beside libsoxr at two qualities,
// both streaming and fed in blocks of 32 ms, and the other steps of the pipeline.
//
//   ninja -C build/release resampler_bench && build/release/bin/resampler_bench
#include <benchmark/benchmark.h>
#include <soxr.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "audio/channel_mixer.hpp"
#include "audio/level_meter.hpp"
#include "audio/pcm16.hpp"
#include "audio/resampler.hpp"
#include "audio/wav_writer.hpp"

namespace {

using namespace dictum::audio;

std::vector<float> block(std::int64_t rate, std::size_t channels = 1) {
  std::vector<float> samples(static_cast<std::size_t>(rate) * 32 / 1000 * channels);
  std::uint32_t state = 1;
  for (float& sample : samples) {
    state = state * 1664525U + 1013904223U;
    sample = (static_cast<float>(state >> 8) / 8388608.0F - 1.0F) * 0.1F;
  }
  return samples;
}

void ours(benchmark::State& state) {
  Resampler resampler(static_cast<int>(state.range(0)));
  const auto in = block(state.range(0));
  std::vector<float> out;
  for (auto _ : state) {
    out.clear();
    resampler.process(in, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["delay_ms"] = resampler.delay_ms();
}

void soxr(benchmark::State& state) {
  const auto quality = soxr_quality_spec(static_cast<unsigned long>(state.range(1)), 0);
  soxr_t resampler = soxr_create(static_cast<double>(state.range(0)), 16000, 1, nullptr, nullptr, &quality, nullptr);
  const auto in = block(state.range(0));
  std::array<float, 2048> out;
  for (auto _ : state) {
    std::size_t done = 0;
    soxr_process(resampler, in.data(), in.size(), nullptr, out.data(), out.size(), &done);
    benchmark::DoNotOptimize(out.data());
  }
  soxr_delete(resampler);
}

void mix_stereo(benchmark::State& state) {
  ChannelMixer mixer(2, {});
  const auto in = block(48000, 2);
  std::vector<float> out(in.size() / 2);
  for (auto _ : state) {
    mixer.mix(in, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void measure_level(benchmark::State& state) {
  LevelMeter meter;
  const auto in = block(48000);
  for (auto _ : state) {
    meter.add(in);
    benchmark::DoNotOptimize(meter.take());
  }
}

void convert(benchmark::State& state) {
  const auto in = block(48000);
  std::vector<std::int16_t> out(in.size());
  for (auto _ : state) {
    to_pcm16(in, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void write_wav(benchmark::State& state) {
  const auto path = std::filesystem::temp_directory_path() / "dictum-resampler-bench.wav";
  std::filesystem::remove(path);
  WAVWriter writer(path, 48000);
  const std::vector<std::int16_t> samples(1536);
  for (auto _ : state) {
    writer.append(samples);
    if (writer.frames() > 48000 * 30) writer.truncate(0);
  }
  std::filesystem::remove(path);
}

const std::vector<std::int64_t> kRates = {8000, 44100, 48000, 96000};

BENCHMARK(ours)->ArgsProduct({kRates});
BENCHMARK(soxr)->ArgsProduct({kRates, {SOXR_MQ, SOXR_HQ}});
BENCHMARK(mix_stereo);
BENCHMARK(measure_level);
BENCHMARK(convert);
BENCHMARK(write_wav);

}  // namespace

BENCHMARK_MAIN();
