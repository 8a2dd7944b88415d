// Runs the speech detector over some windows of noise and nothing else, for bench/instructions to count:
//     vad_windows WINDOWS [STREAMS]
// With STREAMS, that many streams advance together by so many windows each. Prints the kind of vector unit in use.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "vad/detector.hpp"
#include "vad/silero_batch.hpp"
#include "vad/silero_vad.hpp"
#include "vad/simd_target.hpp"

int main(int argc, char** argv) {
  using namespace dictum;
  const auto weights = vad::embedded_weights();
  if (!weights || argc < 2) {
    std::fputs(weights ? "usage: vad_windows WINDOWS [STREAMS]\n" : "the build has no Silero model\n", stderr);
    return 2;
  }
  const int windows = std::atoi(argv[1]);
  const int streams = argc > 2 ? std::atoi(argv[2]) : 0;

  std::vector<float> noise(kVADWindow);
  std::uint32_t state = 1;
  for (float& sample : noise) {
    state = state * 1664525u + 1013904223u;
    sample = (static_cast<float>(state >> 8) / 8388608.0f - 1.0f) * 0.1f;
  }
  const std::span window = std::span(noise).first<kVADWindow>();

  vad::SileroVAD alone(weights);
  std::vector<vad::SileroVAD> together(static_cast<std::size_t>(streams), alone);
  vad::SileroBatch batch(weights);
  for (int w = 0; w < windows; ++w) {
    if (streams == 0) alone.probability(window);
    for (auto& stream : together) batch.add(stream, window);
    batch.run();
  }
  std::puts(vad::simd_target().c_str());
}
