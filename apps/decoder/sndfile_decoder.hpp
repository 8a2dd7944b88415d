#pragma once

#include "decoder_output.hpp"

namespace dictum::decoder {

/// Decodes standard input with libsndfile, where it is a regular file of a kind that libsndfile knows: for the formats
/// that FFmpeg does not, and for builds without FFmpeg. Returns false where it is not, with nothing sent.
bool decode_with_sndfile(DecoderOutput& output);

}  // namespace dictum::decoder
