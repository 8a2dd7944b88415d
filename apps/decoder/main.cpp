// dictum-decoder: turns a compressed sound into plain samples, in a process that the recorder can do without.
//
//   dictum-decoder TAKEN
//
// The sound comes from standard input, a file or a pipe, behind the bytes TAKEN (hexadecimal), which the recorder has
// read already. Samples and messages go to standard output, as audio/decoder_protocol.hpp says. It is started by
// dictum-guard, which caps its memory and ends it with the recorder.

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "decoder_input.hpp"
#include "decoder_output.hpp"
#include "sandbox.hpp"
#include "sndfile_decoder.hpp"
#ifdef DICTUM_HAS_FFMPEG
#include "ffmpeg_decoder.hpp"
#endif

namespace {

std::vector<std::byte> from_hexadecimal(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace dictum::decoder;
  if (argc != 2) {
    std::fputs("dictum-decoder is started by the recorder, not by people\n", stderr);
    return 2;
  }
  DecoderOutput output;
  DecoderInput input(from_hexadecimal(argv[1]));
  const std::string problem =
      input.prepare([](void* to) { static_cast<DecoderOutput*>(to)->send_progress(); }, &output);
  if (!problem.empty()) output.refuse(problem);
  enter_sandbox();
#ifdef DICTUM_HAS_FFMPEG
  const bool is_known = decode_with_ffmpeg(input, output) || decode_with_sndfile(output);
#else
  const bool is_known = decode_with_sndfile(output);
#endif
  if (!is_known) output.refuse("is not a sound file that can be read: convert it to WAV or FLAC.");
  output.send_end();
  std::fflush(stdout);
  std::_Exit(0);  // nothing to be gained from freeing what a hostile file has shaped
}
