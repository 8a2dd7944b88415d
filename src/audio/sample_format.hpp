#pragma once

#include <cstddef>
#include <span>

namespace dictum::audio {

/// How a file or a stream stores its samples. Little-endian where the name does not say `be`; `ulaw` and `alaw` are
/// ITU-T G.711.
enum class SampleFormat { u8, s8, s16, s24, s32, f32, f64, s16be, s24be, s32be, f32be, f64be, ulaw, alaw };

/// Bytes of one sample.
std::size_t size_of(SampleFormat format) noexcept;

/// Whether samples are floating-point numbers.
bool is_float(SampleFormat format) noexcept;

/// Turns `bytes` into samples, nominally within -1 to 1. There are exactly the bytes of `samples.size()` samples.
/// Floating-point formats may hold anything, also what is no number.
void decode(SampleFormat format, std::span<const std::byte> bytes, std::span<float> samples);

}  // namespace dictum::audio
