#pragma once

#include "decoder_input.hpp"
#include "decoder_output.hpp"

namespace dictum::decoder {

/// Decodes the best audio stream of `input` with FFmpeg's libraries, to the end of its last part. Whatever is missing
/// or damaged is sent as a notice. Returns false where FFmpeg does not know the input, with nothing sent.
bool decode_with_ffmpeg(DecoderInput& input, DecoderOutput& output);

}  // namespace dictum::decoder
