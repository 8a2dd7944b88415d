#pragma once

#include <cstdint>

/// What the program dictum-decoder writes to its standard output: messages, each a MessageHead and `size` bytes. All in
/// the machine's own byte order.
namespace dictum::audio::decoder {

enum class MessageKind : std::uint32_t {
  progress = 1,  ///< nothing yet, but the decoder is at work
  format = 2,    ///< a Format, once, before any audio
  audio = 3,     ///< interleaved float samples, whole frames
  notice = 4,    ///< UTF-8: how the input is damaged, to follow its name in a sentence
  refusal = 5,   ///< UTF-8: why nothing can be read; the last message
  end = 6        ///< all of the input was read; the last message
};

struct MessageHead {
  MessageKind kind{};
  std::uint32_t size = 0;
};

struct Format {
  std::int32_t sample_rate = 0;
  std::int32_t channels = 0;
  std::int64_t frames = -1;  ///< -1: not known
};

inline constexpr std::uint32_t kMaxMessage = 1U << 20;

}  // namespace dictum::audio::decoder
