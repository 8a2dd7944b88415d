#include "decoder_output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace dictum::decoder {

namespace {

constexpr int kMaxNotices = 20;  // a damaged file may be damaged in a million places

void write_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) std::_Exit(1);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace

void DecoderOutput::send(audio::decoder::MessageKind kind, std::span<const std::byte> bytes) {
  const audio::decoder::MessageHead head{.kind = kind, .size = static_cast<std::uint32_t>(bytes.size())};
  write_all(std::as_bytes(std::span(&head, 1)));
  write_all(bytes);
}

void DecoderOutput::send_format(int sample_rate, int channels, std::int64_t frames) {
  sample_rate_ = sample_rate;
  channels_ = channels;
  const audio::decoder::Format format{.sample_rate = sample_rate, .channels = channels, .frames = frames};
  send(audio::decoder::MessageKind::format, std::as_bytes(std::span(&format, 1)));
}

void DecoderOutput::send_audio(std::span<const float> interleaved) {
  const auto channels = static_cast<std::size_t>(channels_);
  const std::size_t most = audio::decoder::kMaxMessage / sizeof(float) / channels * channels;
  frames_sent_ += static_cast<std::int64_t>(interleaved.size() / channels);
  while (!interleaved.empty()) {
    const std::size_t count = std::min(most, interleaved.size());
    send(audio::decoder::MessageKind::audio, std::as_bytes(interleaved.first(count)));
    interleaved = interleaved.subspan(count);
  }
}

void DecoderOutput::send_notice(std::string_view text) {
  if (++notices_ <= kMaxNotices) {
    send(audio::decoder::MessageKind::notice, std::as_bytes(std::span(text.data(), text.size())));
  }
}

void DecoderOutput::refuse(std::string_view text) {
  send(audio::decoder::MessageKind::refusal, std::as_bytes(std::span(text.data(), text.size())));
  std::_Exit(0);
}

}  // namespace dictum::decoder
