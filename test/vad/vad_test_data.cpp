#include "vad_test_data.hpp"

#include <sndfile.h>

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <variant>

#include "vad/simd_target.hpp"

namespace dictum::vad::test {

std::vector<float> read_samples(const std::filesystem::path& wav) {
  SF_INFO info{};
  SNDFILE* file = sf_open(wav.c_str(), SFM_READ, &info);
  if (file == nullptr) throw std::runtime_error(sf_strerror(nullptr));
  std::vector<float> samples(static_cast<std::size_t>(info.frames) * static_cast<std::size_t>(info.channels));
  const sf_count_t frames = sf_readf_float(file, samples.data(), info.frames);
  sf_close(file);
  if (frames != info.frames || info.channels != 1 || info.samplerate != kVADSampleRate) {
    throw std::runtime_error(wav.string() + " is not mono at 16 kHz");
  }
  return samples;
}

std::vector<float> read_probabilities(const std::filesystem::path& text) {
  std::ifstream file(text);
  std::vector<float> values;
  for (float value; file >> value;) values.push_back(value);
  return values;
}

std::span<const float, kVADWindow> window_of(const std::vector<float>& samples, std::size_t index) {
  return std::span(samples).subspan(index * kVADWindow).first<kVADWindow>();
}

std::vector<float> noise(std::size_t windows, float amplitude) {
  std::vector<float> samples(windows * kVADWindow);
  std::uint32_t state = 1;
  for (float& sample : samples) {
    state = state * 1664525u + 1013904223u;
    sample = (static_cast<float>(state >> 8) / 8388608.0f - 1.0f) * amplitude;
  }
  return samples;
}

void on_every_vector_unit(const std::function<void(const std::string& name)>& action) {
  const auto targets = simd_targets();
  for (const SIMDTarget& target : targets) {
    choose_kernels(target);
    action(target.name);
  }
  choose_kernels(targets.front());
}

std::vector<float> energies(const std::vector<float>& samples) {
  std::vector<float> sums(samples.size() / kVADWindow);
  for (std::size_t w = 0; w < sums.size(); ++w) {
    for (std::size_t i = 0; i < kVADWindow; ++i) {
      const float sample = samples[w * kVADWindow + i];
      sums[w] += sample * sample;
    }
  }
  return sums;
}

std::vector<SegmentClosed> segments(const SegmenterSettings& settings, const std::vector<float>& probabilities,
                                    const std::vector<float>& energies, Frame frames) {
  Segmenter segmenter(settings);
  std::vector<Decision> decisions;
  for (std::size_t w = 0; w < probabilities.size(); ++w) {
    const auto index = static_cast<std::int64_t>(w);
    segmenter.window(window_start(0, index, settings.sample_rate), window_start(0, index + 1, settings.sample_rate),
                     probabilities[w], energies.at(w), decisions);
  }
  segmenter.close(frames, CloseReason::stop, decisions);
  std::vector<SegmentClosed> closed;
  for (const Decision& decision : decisions) {
    if (const auto* segment = std::get_if<SegmentClosed>(&decision)) closed.push_back(*segment);
  }
  return closed;
}

SegmenterSettings default_settings() {
  return {.sample_rate = 16000,
          .threshold = 0.5,
          .min_silence_ms = 800,
          .pre_roll_ms = 500,
          .post_roll_ms = 500,
          .min_speech_ms = 96,
          .max_segment_sec = 30};
}

}  // namespace dictum::vad::test
