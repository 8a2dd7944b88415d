#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "audio/decoder_protocol.hpp"

namespace dictum::decoder {

/// Writes the protocol's messages to standard output. One thread. A failed write ends the program: its reader is gone.
class DecoderOutput {
 public:
  void send_progress() { send(audio::decoder::MessageKind::progress, {}); }

  /// Sent once; later calls and audio must have the same rate and channels.
  void send_format(int sample_rate, int channels, std::int64_t frames);
  void send_audio(std::span<const float> interleaved);

  /// `text` follows the name of the input, for example "was cut off: …".
  void send_notice(std::string_view text);
  void send_end() { send(audio::decoder::MessageKind::end, {}); }

  /// The last message: ends the program.
  [[noreturn]] void refuse(std::string_view text);

  bool has_format() const { return channels_ > 0; }
  int sample_rate() const { return sample_rate_; }
  int channels() const { return channels_; }
  std::int64_t frames_sent() const { return frames_sent_; }

 private:
  void send(audio::decoder::MessageKind kind, std::span<const std::byte> bytes);

  int sample_rate_ = 0;
  int channels_ = 0;
  int notices_ = 0;
  std::int64_t frames_sent_ = 0;
};

}  // namespace dictum::decoder
