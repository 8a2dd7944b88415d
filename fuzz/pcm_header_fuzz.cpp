// Reads any bytes as the header of plain samples: refused with a sentence, or within the limits that the rest of the
// program relies on. A parser that asks for more bytes must ask for more than it has, and come to an end.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "audio/format.hpp"
#include "audio/pcm_header.hpp"
#include "dictum/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dictum::audio;
  const auto bytes = std::as_bytes(std::span(data, size));
  std::size_t have = 0;
  try {
    for (;;) {
      const PCMHeaderResult result = parse_pcm_header(bytes.first(have));
      if (const auto* needs = std::get_if<NeedsBytes>(&result)) {
        if (needs->count <= have || needs->count > kMaxHeaderBytes) std::abort();
        if (needs->count > size) return 0;
        have = needs->count;
        continue;
      }
      const auto* header = std::get_if<PCMHeader>(&result);
      if (header == nullptr) return 0;
      require_usable(header->format, "the fuzzer's sound");
      const std::size_t natural = size_of(header->sample) * static_cast<std::size_t>(header->format.channels);
      if (header->audio_begin > have || header->frame_bytes < natural) std::abort();
      std::vector<float> samples((size - header->audio_begin) / size_of(header->sample));
      decode(header->sample, bytes.subspan(header->audio_begin, samples.size() * size_of(header->sample)), samples);
      return 0;
    }
  } catch (const dictum::RecorderError&) {
    return 0;
  }
}
