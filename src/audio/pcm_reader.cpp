#include "audio/pcm_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <system_error>

#include "audio/float_scale.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

constexpr std::size_t kAtOnce = 64 * 1024;  // what a pipe holds by default
constexpr std::size_t kDecidingFrames = 4096;
constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;  // bytes, after which a length in 32 bits begins again

std::uint64_t number(std::span<const std::byte> bytes, bool is_big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[is_big_endian ? i : bytes.size() - 1 - i]);
  }
  return value;
}

bool starts_with(std::span<const std::byte> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

bool is_chunk_name(std::span<const std::byte> four) {
  return std::ranges::all_of(four, [](std::byte byte) {
    const auto letter = std::to_integer<unsigned char>(byte);
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
           letter == ' ' || letter == '_' || letter == '-' || letter == '(' || letter == ')';
  });
}

bool is_known_chunk(std::span<const std::byte> bytes) {
  constexpr std::array<std::string_view, 31> known{"LIST", "fact", "bext", "cue ", "smpl", "inst", "axml", "iXML",
                                                   "JUNK", "junk", "PEAK", "id3 ", "ID3 ", "PAD ", "FLLR", "plst",
                                                   "chna", "cart", "levl", "DISP", "acid", "NAME", "AUTH", "ANNO",
                                                   "(c) ", "COMT", "MARK", "INST", "APPL", "_PMX", "COMM"};
  return std::ranges::any_of(known, [bytes](std::string_view name) { return starts_with(bytes, name); });
}

bool is_tag(std::span<const std::byte> bytes) {  // what players write behind the end of any file
  return starts_with(bytes, "TAG") || starts_with(bytes, "ID3") || starts_with(bytes, "APETAGEX") ||
         starts_with(bytes, "LYRICS");
}

// The whole length of the chunk that begins here; empty where these bytes begin none. Sound could look like a chunk:
// its name must be letters and its size less than 256 MiB, which one in ten thousand loud sounds would meet.
std::optional<std::uint64_t> chunk_length(PCMContainer container, std::span<const std::byte> bytes) {
  constexpr std::uint64_t kMaxUnknown = 1U << 28;
  const auto with_size = [bytes](std::size_t header, std::uint64_t size) -> std::optional<std::uint64_t> {
    if (size > kMaxUnknown && !is_known_chunk(bytes)) return std::nullopt;
    return header + size;
  };
  switch (container) {
    case PCMContainer::wav:
    case PCMContainer::big_endian_wav:
    case PCMContainer::aiff: {
      if (bytes.size() < 8 || !is_chunk_name(bytes.first(4))) return std::nullopt;
      const std::uint64_t size = number(bytes.subspan(4, 4), container != PCMContainer::wav);
      return with_size(8, size + size % 2);
    }
    case PCMContainer::caf:
      if (bytes.size() < 12 || !is_chunk_name(bytes.first(4))) return std::nullopt;
      return with_size(12, number(bytes.subspan(4, 8), true));
    case PCMContainer::w64: {
      if (bytes.size() < 24 || !is_chunk_name(bytes.first(4)) || bytes[7] != std::byte{0x11}) return std::nullopt;
      const std::uint64_t size = number(bytes.subspan(16, 8), false);
      if (size < 24 || size > kMaxUnknown) return std::nullopt;
      return (size + 7) / 8 * 8;
    }
    case PCMContainer::au:
    case PCMContainer::raw:
      return std::nullopt;
  }
  return std::nullopt;
}

// Bytes of nothing between the announced end of the audio and the next chunk.
std::size_t padding(const PCMHeader& header) {
  switch (header.container) {
    case PCMContainer::wav:
    case PCMContainer::big_endian_wav:
    case PCMContainer::aiff:
      return header.audio_bytes % 2;
    case PCMContainer::w64:
      return (8 - header.audio_bytes % 8) % 8;
    default:
      return 0;
  }
}

// How much says what follows the audio: the header of a chunk, or the beginning of another file.
std::size_t look_ahead(PCMContainer container) {
  return container == PCMContainer::w64 ? 24 : 12;
}

bool has_short_length(PCMContainer container) {
  return container != PCMContainer::w64 && container != PCMContainer::caf && container != PCMContainer::raw;
}

}  // namespace

PCMReader::PCMReader(ByteInput input, const PCMHeader& header, std::string name)
    : input_(std::move(input)), first_(header), name_(std::move(name)) {
  format_ = header.format;
  begin(header);
  if (!input_.is_regular()) return;
  const auto begins = static_cast<std::uint64_t>(header.audio_begin);
  const auto size = static_cast<std::uint64_t>(input_.size());
  std::uint64_t bytes = size > begins ? size - begins : 0;
  if (is_certain_ && has_short_length(header.container) && bytes > header.audio_bytes) {
    bytes = header.audio_bytes + (bytes - header.audio_bytes) / kWrap * kWrap;
  } else if (is_certain_) {
    bytes = std::min(bytes, header.audio_bytes);
  }
  if (header.audio_bytes == 0 && header.container != PCMContainer::raw) {  // none, or as much as there is?
    input_.receive(std::chrono::milliseconds(0), look_ahead(header.container));
    if (is_tag(input_.bytes()) || chunk_length(header.container, input_.bytes())) bytes = 0;
  }
  frames_ = static_cast<std::int64_t>(bytes / header.frame_bytes);
}

void PCMReader::begin(const PCMHeader& header) {
  header_ = header;
  wanted_ = 1;
  is_certain_ = header.is_certain;
  left_ = header.container == PCMContainer::raw ? kUnbounded : header.audio_bytes;
  phase_ = left_ < header.frame_bytes ? Phase::announced_end : Phase::audio;
  const std::size_t natural = size_of(header.sample) * static_cast<std::size_t>(header.format.channels);
  is_low_ = header.frame_bytes == natural ? std::optional(false) : std::nullopt;
  scale_ = is_float(header.sample) ? std::nullopt : std::optional(1.0F);
}

SampleReader::Step PCMReader::read(std::span<float> interleaved) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  Step step;
  for (;;) {
    while (advance(interleaved.subspan(step.frames * channels), step.frames)) {
    }
    if (phase_ == Phase::over) {
      step.state = State::over;
      return step;
    }
    if (interleaved.size() / channels == step.frames) return step;
    const std::size_t have = input_.bytes().size();
    const std::size_t count = std::max(kAtOnce, wanted_ > have ? wanted_ - have : 0);
    if (input_.receive(std::chrono::milliseconds(0), count) == ByteInput::Arrival::nothing) {
      step.state = State::waiting;
      return step;
    }
  }
}

// Goes as far as the bytes that are here allow. False where it needs more of them, or of the buffer.
bool PCMReader::advance(std::span<float> out, std::size_t& frames) {
  switch (phase_) {
    case Phase::audio:
      return advance_audio(out, frames);
    case Phase::announced_end:
    case Phase::behind_chunk:
      return advance_behind_audio();
    case Phase::chunk: {
      const std::uint64_t count = std::min<std::uint64_t>(left_, input_.bytes().size());
      input_.consume(static_cast<std::size_t>(count));
      left_ -= count;
      if (left_ == 0) phase_ = Phase::behind_chunk;
      if (left_ > 0 && input_.has_ended()) phase_ = Phase::over;
      return left_ == 0;
    }
    case Phase::over:
      return false;
  }
  return false;
}

bool PCMReader::advance_audio(std::span<float> out, std::size_t& frames) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  const auto here =
      input_.bytes().first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, input_.bytes().size())) /
                           header_.frame_bytes * header_.frame_bytes);
  std::size_t count = std::min(here.size(), out.size() / channels * header_.frame_bytes);
  if (count > 0 && (!is_low_ || !scale_)) {
    std::size_t zero_bytes = 0;
    if (!decide(here, zero_bytes)) count = std::min(count, zero_bytes);
  }
  if (count > 0) {
    const std::size_t samples = count / header_.frame_bytes * channels;
    convert(here.first(count), out.first(samples));
    input_.consume(count);
    if (left_ != kUnbounded) left_ -= count;
    frames += samples / channels;
    if (left_ < header_.frame_bytes) phase_ = Phase::announced_end;
    return true;
  }
  if (!input_.has_ended() || here.size() >= header_.frame_bytes) return false;
  phase_ = Phase::over;
  if (const int error = input_.error()) {
    has_failed_ = true;
    notices_.push_back(
        fmt::format("{} could not be read any further: {}.", name_, std::generic_category().message(error)));
  } else if (is_certain_) {
    const std::uint64_t missing = left_ - input_.bytes().size();
    const std::uint64_t bytes_per_second = header_.frame_bytes * static_cast<std::uint64_t>(format_.sample_rate);
    notices_.push_back(fmt::format(
        "{} was cut off: {} bytes ({:.1f} s) that its header announces are missing; what is there was read.", name_,
        missing, static_cast<double>(missing) / static_cast<double>(bytes_per_second)));
  }
  return false;
}

// Where the samples stand in their places and how they are scaled shows in the first that are not 0. Until then zeros
// may be delivered: `zero_bytes` of them.
bool PCMReader::decide(std::span<const std::byte> bytes, std::size_t& zero_bytes) {
  const auto first = std::ranges::find_if(bytes, [](std::byte byte) { return byte != std::byte{0}; });
  const std::size_t frame = header_.frame_bytes;
  zero_bytes = static_cast<std::size_t>(first - bytes.begin()) / frame * frame;
  const auto sound = bytes.subspan(zero_bytes).first(std::min(bytes.size() - zero_bytes, kDecidingFrames * frame));
  const bool is_enough = sound.size() == kDecidingFrames * frame || input_.has_ended() ||
                         left_ - zero_bytes < kDecidingFrames * frame + frame;
  if (!is_enough) {
    wanted_ = zero_bytes + kDecidingFrames * frame;
    return false;
  }
  const auto channels = static_cast<std::size_t>(format_.channels);
  const std::size_t place = frame / channels;
  const std::size_t natural = size_of(header_.sample);
  if (!is_low_) {
    // Aligned at the top, as the standard says, the bytes below are 0 (above, in big-endian files).
    is_low_ = false;
    const bool is_big_endian = header_.container != PCMContainer::wav && header_.container != PCMContainer::w64;
    const std::size_t low = is_big_endian ? natural : 0;
    for (std::size_t at = 0; at + place <= sound.size() && !*is_low_; at += place) {
      const auto spare = sound.subspan(at + low, place - natural);
      *is_low_ = std::ranges::any_of(spare, [](std::byte byte) { return byte != std::byte{0}; });
    }
  }
  if (!scale_) {
    scale_ = 1.0F;
    std::vector<float> samples(sound.size() / frame * channels);
    convert(sound, samples);
    scale_ = float_scale(samples).value_or(1.0F);
    if (scale_ != 1.0F) {
      notices_.push_back(fmt::format(
          "{} holds 16-bit numbers as floating-point ones, far above 1: they were divided by 32768.", name_));
    }
  }
  wanted_ = 1;
  return true;
}

std::size_t PCMReader::sample_offset() const {
  const std::size_t spare = header_.frame_bytes / static_cast<std::size_t>(format_.channels) - size_of(header_.sample);
  const bool is_big_endian = header_.container != PCMContainer::wav && header_.container != PCMContainer::w64;
  return is_low_.value_or(false) == is_big_endian ? spare : 0;
}

void PCMReader::convert(std::span<const std::byte> bytes, std::span<float> samples) {
  const std::size_t natural = size_of(header_.sample);
  const std::size_t place = header_.frame_bytes / static_cast<std::size_t>(format_.channels);
  if (place == natural) {
    decode(header_.sample, bytes, samples);
  } else {
    unpadded_.resize(samples.size() * natural);
    const std::size_t offset = sample_offset();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::memcpy(unpadded_.data() + i * natural, bytes.data() + i * place + offset, natural);
    }
    decode(header_.sample, unpadded_, samples);
  }
  if (scale_.value_or(1.0F) != 1.0F) {
    for (float& sample : samples) sample *= *scale_;
  }
}

bool PCMReader::advance_behind_audio() {
  const auto bytes = input_.bytes();
  const bool is_behind_audio = phase_ == Phase::announced_end;
  const std::size_t rest = is_behind_audio ? static_cast<std::size_t>(left_) : 0;  // less than a frame
  const std::size_t pad = is_behind_audio ? padding(header_) : 0;
  if (!input_.has_ended() && bytes.size() < rest + pad + look_ahead(header_.container)) {
    wanted_ = rest + pad + look_ahead(header_.container);
    return false;
  }
  wanted_ = 1;
  for (const std::size_t offset : {rest, rest + pad}) {
    if (offset > bytes.size()) continue;
    const auto here = bytes.subspan(offset);
    if (is_tag(here)) {
      phase_ = Phase::over;
      return false;
    }
    if (begins_pcm_container(here)) return take_next_sound(here, offset);
    if (const auto length = chunk_length(header_.container, here)) {
      input_.consume(offset);
      left_ = *length;
      phase_ = Phase::chunk;
      return true;
    }
  }
  // Too little for a chunk is no sound either, unless nothing was announced.
  const bool is_end = bytes.size() < rest + pad + (header_.audio_bytes == 0 ? header_.frame_bytes : 8);
  if (is_end && !input_.has_ended()) return false;
  if (is_end || !is_behind_audio) {
    phase_ = Phase::over;
    return false;
  }
  if (is_certain_) {
    notices_.push_back(
        fmt::format("{} holds more than the {} bytes of sound that its header announces: all of it was read.", name_,
                    header_.audio_bytes));
  }
  // A length of more than 32 bits that was written in 32 repeats after 4 GiB.
  left_ = has_short_length(header_.container) && header_.audio_bytes > 0 ? left_ + kWrap : kUnbounded;
  is_certain_ = false;
  phase_ = Phase::audio;
  return true;
}

// Another file behind the first one, `before` bytes from here.
bool PCMReader::take_next_sound(std::span<const std::byte> bytes, std::size_t before) {
  const auto end = [this](std::string_view why) {
    notices_.push_back(
        fmt::format("{} is followed by another sound, which {}: record that one by itself.", name_, why));
    phase_ = Phase::over;
    return false;
  };
  try {
    const PCMHeaderResult result = parse_pcm_header(bytes);
    if (const auto* needs = std::get_if<NeedsBytes>(&result)) {
      wanted_ = before + needs->count;
      return input_.has_ended() ? end("was cut off in its header") : false;
    }
    const auto* header = std::get_if<PCMHeader>(&result);
    if (header == nullptr) return end("is of another kind");
    if (header->format != format_) {
      return end(fmt::format("has {} Hz and {} channels in place of {} and {}", header->format.sample_rate,
                             header->format.channels, format_.sample_rate, format_.channels));
    }
    input_.consume(before + header->audio_begin);
    begin(*header);
    return true;
  } catch (const RecorderError& error) {
    return end(fmt::format("cannot be read ({})", error.what()));
  }
}

void PCMReader::wait(std::chrono::milliseconds patience) {
  input_.receive(patience, kAtOnce);
}

bool PCMReader::seek(std::int64_t frame) {
  if (frame < 0 || frame > frames_) return false;
  const auto offset = static_cast<std::uint64_t>(frame) * first_.frame_bytes;
  if (!input_.seek(static_cast<std::int64_t>(first_.audio_begin + offset))) return false;
  begin(first_);
  if (left_ != kUnbounded) {
    for (; left_ < offset; is_certain_ = false) left_ += kWrap;
    left_ -= offset;
  }
  phase_ = left_ < header_.frame_bytes ? Phase::announced_end : Phase::audio;
  return true;
}

}  // namespace dictum::audio
