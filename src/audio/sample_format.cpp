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

// A whole number of `size` bytes: moved to the top of 32 bits, it has its sign there and one scale for all sizes.
template <std::size_t size>
float integer_sample(const std::byte* bytes) {
  const auto top = static_cast<std::uint32_t>(little_endian<size>(bytes) << (32 - 8 * size));
  return static_cast<float>(static_cast<std::int32_t>(top)) / 2147483648.0F;
}

template <std::size_t size, typename Convert>
void each(std::span<const std::byte> bytes, std::span<float> samples, Convert convert) {
  assert(bytes.size() == samples.size() * size);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = convert(bytes.data() + i * size);
}

}  // namespace

std::size_t size_of(SampleFormat format) noexcept {
  switch (format) {
    case SampleFormat::u8:
      return 1;
    case SampleFormat::s16:
      return 2;
    case SampleFormat::s24:
      return 3;
    case SampleFormat::s32:
    case SampleFormat::f32:
      return 4;
    case SampleFormat::f64:
      return 8;
  }
  return 1;
}

void decode(SampleFormat format, std::span<const std::byte> bytes, std::span<float> samples) {
  switch (format) {
    case SampleFormat::u8:
      return each<1>(bytes, samples,
                     [](const std::byte* at) { return static_cast<float>(std::to_integer<int>(*at) - 128) / 128.0F; });
    case SampleFormat::s16:
      return each<2>(bytes, samples, integer_sample<2>);
    case SampleFormat::s24:
      return each<3>(bytes, samples, integer_sample<3>);
    case SampleFormat::s32:
      return each<4>(bytes, samples, integer_sample<4>);
    case SampleFormat::f32:
      return each<4>(bytes, samples, [](const std::byte* at) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(little_endian<4>(at)));
      });
    case SampleFormat::f64:
      return each<8>(bytes, samples, [](const std::byte* at) {
        // Beyond the range of float the conversion would be undefined; what is that loud is infinite for us.
        const auto value = std::bit_cast<double>(little_endian<8>(at));
        constexpr double most = 3.4e38;
        return value > most ? HUGE_VALF : value < -most ? -HUGE_VALF : static_cast<float>(value);
      });
  }
}

}  // namespace dictum::audio
