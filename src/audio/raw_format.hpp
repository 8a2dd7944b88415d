#pragma once

#include <string_view>

#include "audio/sample_format.hpp"
#include "dictum/source.hpp"

namespace dictum::audio {

/// Samples without a header.
struct RawFormat {
  SampleFormat sample{};
  AudioFormat audio;
  bool operator==(const RawFormat&) const = default;
};

/// Reads "s16le:48000:2" (also u8, s24le, s32le, f32le, f64le). Throws RecorderError.
RawFormat parse_raw_format(std::string_view text);

}  // namespace dictum::audio
