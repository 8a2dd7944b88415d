// A stream of audio as packets of Opus: messages that repeat, leave out and break packets, on their way to the
// recorder. The first byte is the format; each message is a byte that says where it begins, two bytes of length, and a
// packet.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "dictum/error.hpp"
#include "server/opus_decoder.hpp"
#include "server/remote_audio.hpp"
#include "server/stream_protocol.hpp"

namespace {

using namespace dictum;
using namespace dictum::server;

void require(bool holds) {
  if (!holds) std::abort();
}

/// How many frames can be read, with their gaps.
Frame read_all(AudioSource& source, int channels) {
  std::array<float, 1000> block{};
  for (Frame frames = 0;;) {
    const Reading reading = source.read(block);
    require(reading.frames * static_cast<std::size_t>(channels) <= block.size());
    frames += static_cast<Frame>(reading.frames);
    if (const auto* const gap = std::get_if<SourceGap>(&reading.then)) {
      require(gap->frames > 0);
      frames += gap->frames;
    } else if (reading.frames == 0) {
      return frames;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<int, 5> kRates = {8000, 12000, 16000, 24000, 48000};
  if (size == 0 || !OpusDecoder::is_available()) return 0;
  const AudioFormat format{.sample_rate = kRates.at(data[0] / 2 % kRates.size()), .channels = 1 + data[0] % 2};
  const auto audio = std::make_shared<RemoteAudio>(format, "fuzz", [] {});
  const auto source = audio->make_source();
  std::string_view left(reinterpret_cast<const char*>(data + 1), size - 1);
  Frame read = 0;
  while (left.size() >= 3) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(left[at]); };
    const std::size_t length = std::min<std::size_t>(byte(1) + std::size_t{256} * byte(2), left.size() - 3);
    // 128 is where the stream goes on; less is known already, more leaves something out.
    const Frame first = std::max<Frame>(0, audio->received() + (byte(0) - 128) * Frame{100});
    const std::string message = stream_frame_number(first).append(left.substr(3, length));
    left.remove_prefix(3 + length);
    try {
      const StreamPacket packet = parse_stream_packet(message, format.sample_rate);
      require(packet.frames > 0 && packet.frames <= format.sample_rate * 120 / 1000);
      audio->write_packet(packet.first, packet.frames, std::string(packet.packet));
    } catch (const RecorderError&) {  // is the right answer to most of it
    }
    if (audio->is_full()) read += read_all(*source, format.channels);
    require(!audio->is_full());
  }
  read += read_all(*source, format.channels);
  require(read == audio->received());
  return 0;
}
