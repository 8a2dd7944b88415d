// Feeds a stream's header to the parser whole and in pieces: both must come to the same end, and what is taken must lie
// within the limits that the rest of the program relies on.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include "audio/format.hpp"
#include "audio/wav_header_parser.hpp"
#include "dictum/error.hpp"

namespace {

struct End {
  bool refused = false;
  bool done = false;
  std::size_t used = 0;
  dictum::AudioFormat format;
  std::optional<std::uint64_t> audio_bytes;
  bool operator==(const End&) const = default;
};

End parse(std::span<const std::byte> bytes, std::size_t piece) {
  End end;
  dictum::audio::WAVHeaderParser parser;
  try {
    while (!parser.done() && end.used < bytes.size()) {
      end.used += parser.parse(bytes.subspan(end.used, std::min(piece, bytes.size() - end.used)));
    }
  } catch (const dictum::RecorderError&) {
    return {.refused = true, .format = {}, .audio_bytes = {}};
  }
  end.done = parser.done();
  if (!end.done) return end;
  end.format = parser.format();
  end.audio_bytes = parser.audio_bytes();
  dictum::audio::require_usable(end.format, "the fuzzer's stream");

  const std::size_t size = size_of(parser.sample_format());
  const auto rest = bytes.subspan(end.used);
  std::vector<float> samples(rest.size() / size);
  decode(parser.sample_format(), rest.first(samples.size() * size), samples);
  return end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const End whole = parse(bytes, std::max<std::size_t>(size, 1));
  for (const std::size_t piece : {1U, 7U, 64U}) {
    if (parse(bytes, piece) != whole) std::abort();
  }
  return 0;
}
