#pragma once

#include <cstddef>
#include <span>

namespace dictum::audio {

/// How a stream writes its samples; all little-endian.
enum class SampleFormat { u8, s16, s24, s32, f32, f64 };

/// Bytes of one sample.
std::size_t size_of(SampleFormat format) noexcept;

/// Turns `bytes` into samples, nominally within -1 to 1. There are exactly the bytes of `samples.size()` samples.
/// Floating-point formats may hold anything, also what is no number.
void decode(SampleFormat format, std::span<const std::byte> bytes, std::span<float> samples);

}  // namespace dictum::audio
