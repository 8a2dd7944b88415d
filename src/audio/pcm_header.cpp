#include "audio/pcm_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "audio/format.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

constexpr int kMaxChunks = 4096;

[[noreturn]] void refuse(std::string_view what) {
  throw RecorderError(Errc::input_unreadable, fmt::format("The header of the sound is damaged ({}).", what));
}

/// Thrown inside this file only: the header goes on behind the bytes that are there.
struct Short : std::exception {
  explicit Short(std::size_t bytes) : needed(bytes) {}
  std::size_t needed;
};

/// Numbers and names at places of the header.
class Bytes {
 public:
  Bytes(std::span<const std::byte> bytes, bool is_big_endian) : bytes_(bytes), is_big_endian_(is_big_endian) {}

  void require(std::uint64_t end) const {
    if (end > kMaxHeaderBytes) {
      throw RecorderError(Errc::input_unreadable,
                          "The sound has a header of more than 16 MiB before the audio: send it without pictures.");
    }
    if (end > bytes_.size()) throw Short{static_cast<std::size_t>(end)};
  }

  std::uint64_t number(std::size_t at, std::size_t size) const {
    require(at + size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = is_big_endian_ ? at + i : at + size - 1 - i;
      value = value << 8 | std::to_integer<std::uint64_t>(bytes_[place]);
    }
    return value;
  }

  bool reads(std::size_t at, std::string_view text) const {
    require(at + text.size());
    return std::memcmp(bytes_.data() + at, text.data(), text.size()) == 0;
  }

 private:
  std::span<const std::byte> bytes_;
  bool is_big_endian_;
};

bool starts_with(std::span<const std::byte> bytes, std::size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

/// What a container says of its samples, before it is checked.
struct Description {
  std::optional<SampleFormat> sample;  // empty: compressed
  std::uint64_t rate = 0;
  std::uint64_t channels = 0;
  std::uint64_t frame_bytes = 0;  // 0: as the samples need
};

// Writers that cannot know the length say 0, -1, or something just below 2 or 4 GiB: sox 0x7FFFF000, arecord 0x7FFFFFFF
// less the header.
bool is_length_32(std::uint64_t size) {
  return size != 0 && !(size >= 0x7FFF'0000 && size <= 0x8000'0000) && size < 0xFFFF'0000;
}

bool is_length_64(std::uint64_t size) {
  return size != 0 && size < std::uint64_t{1} << 62;
}

std::optional<SampleFormat> integer_format(std::uint64_t bytes, bool is_big_endian) {
  if (bytes == 2) return is_big_endian ? SampleFormat::s16be : SampleFormat::s16;
  if (bytes == 3) return is_big_endian ? SampleFormat::s24be : SampleFormat::s24;
  if (bytes == 4) return is_big_endian ? SampleFormat::s32be : SampleFormat::s32;
  return std::nullopt;
}

std::optional<SampleFormat> float_format(std::uint64_t bytes, bool is_big_endian) {
  if (bytes == 4) return is_big_endian ? SampleFormat::f32be : SampleFormat::f32;
  if (bytes == 8) return is_big_endian ? SampleFormat::f64be : SampleFormat::f64;
  return std::nullopt;
}

PCMHeader finish(PCMContainer container, const Description& what, std::size_t audio_begin, std::uint64_t audio_bytes,
                 bool is_certain) {
  constexpr std::uint64_t limit = std::numeric_limits<int>::max();
  PCMHeader header{.container = container,
                   .format = {.sample_rate = static_cast<int>(std::min(what.rate, limit)),
                              .channels = static_cast<int>(std::min(what.channels, limit))},
                   .sample = *what.sample,
                   .audio_begin = audio_begin,
                   .audio_bytes = audio_bytes,
                   .is_certain = is_certain};
  require_usable(header.format, "The sound");
  const std::size_t natural = size_of(header.sample) * static_cast<std::size_t>(header.format.channels);
  header.frame_bytes = natural;
  // Samples in wider places than they need: the frames are as far apart as the writer says.
  const auto channels = static_cast<std::uint64_t>(header.format.channels);
  if (what.frame_bytes > natural && what.frame_bytes % channels == 0 && what.frame_bytes <= channels * 8) {
    header.frame_bytes = static_cast<std::size_t>(what.frame_bytes);
  }
  return header;
}

Description wav_format(const Bytes& bytes, std::size_t at, std::uint64_t size, bool is_big_endian) {
  if (size < 16) refuse("its format is too short");
  bytes.require(at + std::min<std::uint64_t>(size, 40));
  std::uint64_t encoding = bytes.number(at, 2);
  const std::uint64_t channels = bytes.number(at + 2, 2);
  const std::uint64_t frame_bytes = bytes.number(at + 12, 2);
  const std::uint64_t bits = bytes.number(at + 14, 2);
  if (encoding == 0xFFFE && size >= 26) encoding = bytes.number(at + 24, 2);
  Description what{.sample = {}, .rate = bytes.number(at + 4, 4), .channels = channels, .frame_bytes = frame_bytes};
  const std::uint64_t sample_bytes = (bits + 7) / 8;
  if (encoding == 1) {  // whole numbers, at the top of their bytes
    what.sample = sample_bytes == 1 ? std::optional(SampleFormat::u8) : integer_format(sample_bytes, is_big_endian);
  } else if (encoding == 3 && bits % 8 == 0) {
    what.sample = float_format(sample_bytes, is_big_endian);
  } else if (encoding == 6 && bits == 8) {
    what.sample = SampleFormat::alaw;
  } else if (encoding == 7 && bits == 8) {
    what.sample = SampleFormat::ulaw;
  }
  return what;
}

PCMHeaderResult parse_wav(std::span<const std::byte> all) {
  const bool is_big_endian = starts_with(all, 0, "RIFX");
  const Bytes bytes(all, is_big_endian);
  if (!bytes.reads(8, "WAVE")) return NotPCM{};
  const PCMContainer container = is_big_endian ? PCMContainer::big_endian_wav : PCMContainer::wav;
  std::optional<std::uint64_t> long_size;  // of RF64
  std::optional<Description> what;
  std::uint64_t at = 12;
  for (int i = 0; i < kMaxChunks; ++i) {
    bytes.require(at + 8);
    const auto begin = static_cast<std::size_t>(at) + 8;
    const std::uint64_t size = bytes.number(begin - 4, 4);
    if (bytes.reads(begin - 8, "fmt ")) {
      what = wav_format(bytes, begin, size, is_big_endian);
      if (!what->sample) return NotPCM{};
    } else if (bytes.reads(begin - 8, "ds64") && size >= 16) {
      long_size = bytes.number(begin + 8, 8);
    } else if (bytes.reads(begin - 8, "data")) {
      if (!what) refuse("no format before the audio");
      if (size == 0xFFFF'FFFF && long_size) {
        return finish(container, *what, begin, is_length_64(*long_size) ? *long_size : 0, is_length_64(*long_size));
      }
      return finish(container, *what, begin, size, is_length_32(size));
    }
    at = begin + size + size % 2;  // chunks begin at even bytes
  }
  refuse("too many chunks");
}

PCMHeaderResult parse_w64(std::span<const std::byte> all) {
  const Bytes bytes(all, false);
  if (!bytes.reads(24, "wave")) return NotPCM{};
  std::optional<Description> what;
  std::uint64_t at = 40;
  for (int i = 0; i < kMaxChunks; ++i) {
    bytes.require(at + 24);
    const auto begin = static_cast<std::size_t>(at) + 24;
    const std::uint64_t size = bytes.number(begin - 8, 8);  // with the 24 bytes of its own header
    if (bytes.reads(begin - 24, "data")) {
      if (!what) refuse("no format before the audio");
      const bool known = size > 24 && is_length_64(size);
      return finish(PCMContainer::w64, *what, begin, known ? size - 24 : 0, known);
    }
    if (size < 24) refuse("a chunk is too short");
    if (bytes.reads(begin - 24, "fmt ")) {
      what = wav_format(bytes, begin, size - 24, false);
      if (!what->sample) return NotPCM{};
    }
    if (size > kMaxHeaderBytes) bytes.require(size);
    at += (size + 7) / 8 * 8;
  }
  refuse("too many chunks");
}

// 80 bits: sign, 15 bits of exponent, 64 of mantissa.
std::uint64_t extended_rate(const Bytes& bytes, std::size_t at) {
  const std::uint64_t exponent = bytes.number(at, 2);
  const double rate = std::ldexp(static_cast<double>(bytes.number(at + 2, 8)), static_cast<int>(exponent) - 16383 - 63);
  return rate >= 0 && rate < 4e9 ? static_cast<std::uint64_t>(std::llround(rate)) : 0;
}

Description aiff_format(const Bytes& bytes, std::size_t at, std::uint64_t size, bool is_compressed_kind) {
  if (size < 18) refuse("its format is too short");
  const std::uint64_t sample_bytes = (bytes.number(at + 6, 2) + 7) / 8;
  Description what{
      .sample = {}, .rate = extended_rate(bytes, at + 8), .channels = bytes.number(at, 2), .frame_bytes = 0};
  const auto is = [&](std::string_view name) { return size >= 22 && bytes.reads(at + 18, name); };
  if (!is_compressed_kind || is("NONE") || is("twos") || is("in24") || is("in32")) {
    what.sample = sample_bytes == 1 ? std::optional(SampleFormat::s8) : integer_format(sample_bytes, true);
  } else if (is("sowt")) {
    what.sample = sample_bytes == 1 ? std::optional(SampleFormat::s8) : integer_format(sample_bytes, false);
  } else if (is("fl32") || is("FL32")) {
    what.sample = SampleFormat::f32be;
  } else if (is("fl64") || is("FL64")) {
    what.sample = SampleFormat::f64be;
  } else if (is("ulaw") || is("ULAW")) {
    what.sample = SampleFormat::ulaw;
  } else if (is("alaw") || is("ALAW")) {
    what.sample = SampleFormat::alaw;
  }
  return what;
}

PCMHeaderResult parse_aiff(std::span<const std::byte> all) {
  const Bytes bytes(all, true);
  const bool is_compressed_kind = bytes.reads(8, "AIFC");
  if (!is_compressed_kind && !bytes.reads(8, "AIFF")) return NotPCM{};
  std::optional<Description> what;
  std::uint64_t frames = 0;
  std::uint64_t at = 12;
  for (int i = 0; i < kMaxChunks; ++i) {
    bytes.require(at + 8);
    const auto begin = static_cast<std::size_t>(at) + 8;
    const std::uint64_t size = bytes.number(begin - 4, 4);
    if (bytes.reads(begin - 8, "COMM")) {
      what = aiff_format(bytes, begin, size, is_compressed_kind);
      frames = bytes.number(begin + 2, 4);
      if (!what->sample) return NotPCM{};
    } else if (bytes.reads(begin - 8, "SSND")) {
      if (!what) return NotPCM{};  // the format stands behind the audio, which a reader that can go back may find
      const std::uint64_t offset = bytes.number(begin, 4);
      const std::uint64_t audio_begin = begin + 8 + offset;
      bytes.require(audio_begin);
      const bool known = is_length_32(size) && size > 8 + offset;
      PCMHeader header = finish(PCMContainer::aiff, *what, static_cast<std::size_t>(audio_begin),
                                known ? size - 8 - offset : 0, known);
      if (!known && is_length_32(frames)) {  // the other place that announces a length
        header.audio_bytes = frames * header.frame_bytes;
        header.is_certain = true;
      }
      return header;
    }
    at = begin + size + size % 2;
  }
  refuse("too many chunks");
}

PCMHeaderResult parse_au(std::span<const std::byte> all) {
  const Bytes bytes(all, true);
  const std::uint64_t begin = bytes.number(4, 4);
  const std::uint64_t size = bytes.number(8, 4);
  Description what{.sample = {}, .rate = bytes.number(16, 4), .channels = bytes.number(20, 4), .frame_bytes = 0};
  switch (bytes.number(12, 4)) {
    case 1:
      what.sample = SampleFormat::ulaw;
      break;
    case 2:
      what.sample = SampleFormat::s8;
      break;
    case 3:
      what.sample = SampleFormat::s16be;
      break;
    case 4:
      what.sample = SampleFormat::s24be;
      break;
    case 5:
      what.sample = SampleFormat::s32be;
      break;
    case 6:
      what.sample = SampleFormat::f32be;
      break;
    case 7:
      what.sample = SampleFormat::f64be;
      break;
    case 27:
      what.sample = SampleFormat::alaw;
      break;
    default:
      return NotPCM{};
  }
  if (begin < 24) refuse("the audio begins within it");
  bytes.require(begin);
  return finish(PCMContainer::au, what, static_cast<std::size_t>(begin), size, is_length_32(size));
}

PCMHeaderResult parse_caf(std::span<const std::byte> all) {
  const Bytes bytes(all, true);
  std::optional<Description> what;
  std::uint64_t at = 8;
  for (int i = 0; i < kMaxChunks; ++i) {
    bytes.require(at + 12);
    const auto begin = static_cast<std::size_t>(at) + 12;
    const std::uint64_t size = bytes.number(begin - 8, 8);
    if (bytes.reads(begin - 12, "desc")) {
      if (size < 32) refuse("its format is too short");
      const auto rate = std::bit_cast<double>(bytes.number(begin, 8));
      const std::uint64_t flags = bytes.number(begin + 12, 4);
      const std::uint64_t bits = bytes.number(begin + 28, 4);
      const bool is_big_endian = (flags & 2) == 0;
      what = {.sample = {},
              .rate = rate >= 0 && rate < 4e9 ? static_cast<std::uint64_t>(std::llround(rate)) : 0,
              .channels = bytes.number(begin + 24, 4),
              .frame_bytes = bytes.number(begin + 16, 4)};
      if (bytes.reads(begin + 8, "lpcm")) {
        what->sample = (flags & 1) != 0 ? float_format(bits / 8, is_big_endian)
                       : bits == 8      ? std::optional(SampleFormat::s8)
                                        : integer_format((bits + 7) / 8, is_big_endian);
      } else if (bytes.reads(begin + 8, "ulaw")) {
        what->sample = SampleFormat::ulaw;
      } else if (bytes.reads(begin + 8, "alaw")) {
        what->sample = SampleFormat::alaw;
      }
      if (!what->sample) return NotPCM{};
    } else if (bytes.reads(begin - 12, "data")) {
      if (!what) refuse("no format before the audio");
      bytes.require(begin + 4);  // a count of edits
      const bool known = size > 4 && is_length_64(size);
      return finish(PCMContainer::caf, *what, begin + 4, known ? size - 4 : 0, known);
    }
    if (size > kMaxHeaderBytes) bytes.require(size);
    at = begin + size;
  }
  refuse("too many chunks");
}

}  // namespace

bool begins_pcm_container(std::span<const std::byte> bytes) noexcept {
  const auto is = [bytes](std::string_view name) { return starts_with(bytes, 0, name); };
  if (is("RIFF") || is("RIFX") || is("RF64") || is("BW64")) return starts_with(bytes, 8, "WAVE");
  if (is("FORM")) return starts_with(bytes, 8, "AIFF") || starts_with(bytes, 8, "AIFC");
  return is(".snd") || (is("caff") && starts_with(bytes, 4, std::string_view("\0\1\0\0", 4))) ||
         (is("riff") && starts_with(bytes, 4, "\x2E\x91\xCF\x11"));
}

PCMHeaderResult parse_pcm_header(std::span<const std::byte> beginning) {
  if (beginning.size() < 12) return NeedsBytes{12};
  if (!begins_pcm_container(beginning)) return NotPCM{};
  try {
    switch (std::to_integer<char>(beginning[0])) {
      case 'R':
      case 'B':
        return parse_wav(beginning);
      case 'r':
        return parse_w64(beginning);
      case 'F':
        return parse_aiff(beginning);
      case '.':
        return parse_au(beginning);
      default:
        return parse_caf(beginning);
    }
  } catch (const Short& needs) {
    return NeedsBytes{needs.needed};
  }
}

}  // namespace dictum::audio
