#include "audio/raw_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

RawFormat parse_raw_format(std::string_view text) {
  const auto refuse = [text] {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("'{}' is no raw format: give sample format, rate and channels, as in s16le:48000:2 "
                                    "(u8, s16le, s24le, s32le, f32le, f64le).",
                                    text));
  };
  constexpr std::pair<std::string_view, SampleFormat> names[] = {
      {"u8", SampleFormat::u8},     {"s16le", SampleFormat::s16}, {"s24le", SampleFormat::s24},
      {"s32le", SampleFormat::s32}, {"f32le", SampleFormat::f32}, {"f64le", SampleFormat::f64}};
  const std::size_t colon = text.find(':');
  const auto* const name =
      std::ranges::find(names, text.substr(0, colon), &std::pair<std::string_view, SampleFormat>::first);
  if (colon == text.npos || name == std::end(names)) refuse();

  RawFormat format{.sample = name->second, .audio = {}};
  const char* const end = text.data() + text.size();
  const auto rate = std::from_chars(text.data() + colon + 1, end, format.audio.sample_rate);
  if (rate.ec != std::errc() || rate.ptr == end || *rate.ptr != ':') refuse();
  const auto channels = std::from_chars(rate.ptr + 1, end, format.audio.channels);
  if (channels.ec != std::errc() || channels.ptr != end) refuse();
  require_usable(format.audio, fmt::format("The raw format '{}'", text));
  return format;
}

}  // namespace dictum::audio
