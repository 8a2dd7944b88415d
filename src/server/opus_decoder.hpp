#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "dictum/frame.hpp"
#include "dictum/source.hpp"

namespace dictum::server {

/// Packets of Opus (RFC 6716) as samples. What a packet says about itself bounds the work and the memory for it: it has
/// 120 ms of audio at most, whatever its bytes are.
///
/// Thread: one at a time; the static functions: any. Owner: the audio of a stream.
class OpusDecoder {
 public:
  /// The longest that an encoder makes: 120 ms in six frames of 1,275 bytes, their lengths, and two bytes that say so.
  static constexpr std::size_t kMaxPacketBytes = 6 * 1275 + 5 * 2 + 2;

  /// Whether this build has libopus. Without it nothing else of this class may be called.
  static bool is_available() noexcept;

  /// Whether Opus has audio of that format: 8, 12, 16, 24 or 48 kHz, one or two channels.
  static bool has_format(AudioFormat format) noexcept;

  /// How many frames a packet has at a rate of `has_format`, by its first two bytes. Empty where it is no packet: it
  /// has no bytes or too many, or more than 120 ms of audio.
  static std::optional<Frame> frames_in(std::string_view packet, int sample_rate) noexcept;

  /// Throws std::bad_alloc.
  explicit OpusDecoder(AudioFormat format);
  ~OpusDecoder();
  OpusDecoder(const OpusDecoder&) = delete;
  OpusDecoder& operator=(const OpusDecoder&) = delete;

  /// The audio of the packet that follows, interleaved: `frames_in` frames of it. Empty where it cannot be decoded.
  std::optional<std::vector<float>> decode(std::string_view packet);

  /// The next packet follows no other.
  void reset();

 private:
  struct State;
  const AudioFormat format_;
  const std::unique_ptr<State> state_;
};

}  // namespace dictum::server
