#include "audio/sample_format.hpp"

#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>

namespace dictum::audio {

namespace {

template <std::size_t size>
std::uint64_t little_endian(const std::byte* bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

template <std::size_t size>
std::uint64_t big_endian(const std::byte* bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

// A whole number of `size` bytes: moved to the top of 32 bits, it has its sign there and one scale for all sizes.
template <std::size_t size>
float integer_sample(std::uint64_t value) {
  const auto top = static_cast<std::uint32_t>(value << (32 - 8 * size));
  return static_cast<float>(static_cast<std::int32_t>(top)) / 2147483648.0F;
}

float single_sample(std::uint64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

// Beyond the range of float the conversion would be undefined; such values become infinite.
float double_sample(std::uint64_t bits) {
  const auto value = std::bit_cast<double>(bits);
  constexpr double limit = 3.4e38;
  return value > limit ? HUGE_VALF : value < -limit ? -HUGE_VALF : static_cast<float>(value);
}

float ulaw_sample(const std::byte* at) {
  const unsigned code = ~std::to_integer<unsigned>(*at) & 0xFF;
  const int magnitude = static_cast<int>((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84;
  return static_cast<float>((code & 0x80) != 0 ? -magnitude : magnitude) / 32768.0F;
}

float alaw_sample(const std::byte* at) {
  const unsigned code = std::to_integer<unsigned>(*at) ^ 0x55;
  const unsigned exponent = code >> 4 & 7;
  const unsigned mantissa = (code & 0x0F) << 4;
  const auto magnitude = static_cast<int>(exponent == 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1));
  return static_cast<float>((code & 0x80) != 0 ? magnitude : -magnitude) / 32768.0F;
}

template <std::size_t size, typename Convert>
void each(std::span<const std::byte> bytes, std::span<float> samples, Convert convert) {
  assert(bytes.size() == samples.size() * size);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = convert(bytes.data() + i * size);
}

template <std::size_t size>
void each_little(std::span<const std::byte> bytes, std::span<float> samples, float (*convert)(std::uint64_t)) {
  each<size>(bytes, samples, [convert](const std::byte* at) { return convert(little_endian<size>(at)); });
}

template <std::size_t size>
void each_big(std::span<const std::byte> bytes, std::span<float> samples, float (*convert)(std::uint64_t)) {
  each<size>(bytes, samples, [convert](const std::byte* at) { return convert(big_endian<size>(at)); });
}

}  // namespace

std::size_t size_of(SampleFormat format) noexcept {
  switch (format) {
    case SampleFormat::u8:
    case SampleFormat::s8:
    case SampleFormat::ulaw:
    case SampleFormat::alaw:
      return 1;
    case SampleFormat::s16:
    case SampleFormat::s16be:
      return 2;
    case SampleFormat::s24:
    case SampleFormat::s24be:
      return 3;
    case SampleFormat::s32:
    case SampleFormat::f32:
    case SampleFormat::s32be:
    case SampleFormat::f32be:
      return 4;
    case SampleFormat::f64:
    case SampleFormat::f64be:
      return 8;
  }
  return 1;
}

bool is_float(SampleFormat format) noexcept {
  return format == SampleFormat::f32 || format == SampleFormat::f64 || format == SampleFormat::f32be ||
         format == SampleFormat::f64be;
}

void decode(SampleFormat format, std::span<const std::byte> bytes, std::span<float> samples) {
  switch (format) {
    case SampleFormat::u8:
      return each<1>(bytes, samples,
                     [](const std::byte* at) { return static_cast<float>(std::to_integer<int>(*at) - 128) / 128.0F; });
    case SampleFormat::s8:
      return each_little<1>(bytes, samples, integer_sample<1>);
    case SampleFormat::s16:
      return each<2>(bytes, samples, [](const std::byte* at) { return integer_sample<2>(little_endian<2>(at)); });
    case SampleFormat::s24:
      return each_little<3>(bytes, samples, integer_sample<3>);
    case SampleFormat::s32:
      return each_little<4>(bytes, samples, integer_sample<4>);
    case SampleFormat::f32:
      return each_little<4>(bytes, samples, single_sample);
    case SampleFormat::f64:
      return each_little<8>(bytes, samples, double_sample);
    case SampleFormat::s16be:
      return each_big<2>(bytes, samples, integer_sample<2>);
    case SampleFormat::s24be:
      return each_big<3>(bytes, samples, integer_sample<3>);
    case SampleFormat::s32be:
      return each_big<4>(bytes, samples, integer_sample<4>);
    case SampleFormat::f32be:
      return each_big<4>(bytes, samples, single_sample);
    case SampleFormat::f64be:
      return each_big<8>(bytes, samples, double_sample);
    case SampleFormat::ulaw:
      return each<1>(bytes, samples, ulaw_sample);
    case SampleFormat::alaw:
      return each<1>(bytes, samples, alaw_sample);
  }
}

}  // namespace dictum::audio
