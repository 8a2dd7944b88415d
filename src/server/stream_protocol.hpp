#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/frame.hpp"
#include "dictum/source.hpp"
#include "server/event_cursor.hpp"

/// What the two ends of a stream of audio exchange (docs/server.md): JSON as text, and audio as binary
/// messages, each the number of its first frame (8 bytes, little-endian) and whole frames, or a packet of Opus. Any
/// thread; no state.
namespace dictum::server {

/// How a client sends its audio.
enum class StreamFormat {
  s16,   ///< samples of 16 bits, little-endian and interleaved
  f32,   ///< the same of 32-bit floats
  opus,  ///< a packet of Opus in each message
};

/// What a client says first: which audio it sends, or which stream it goes on with.
struct StreamHello {
  std::string device;
  StreamFormat encoding{};
  AudioFormat format;           ///< of Opus: what it is decoded to
  std::optional<double> clock;  ///< of its first frame: seconds since 1970 by the client's clock
  std::string resume;           ///< the token of the stream that it goes on with; the fields before are empty then
  std::optional<EventCursor> after;
  std::set<std::string, std::less<>> types;  ///< of events
};

/// Limits of what is streamed; files may go beyond them.
inline constexpr int kMaxStreamRate = 192'000;
inline constexpr int kMaxStreamChannels = 8;

/// Reads it. Throws RecorderError(invalid_argument) that names what is wrong, unknown or missing.
StreamHello parse_stream_hello(std::string_view text);
std::string to_text(const StreamHello& hello);

/// Reads what a client may say behind it, which is that nothing follows: `{"type":"stop"}`. Throws
/// RecorderError(invalid_argument) for all else.
void parse_stream_stop(std::string_view text);
inline constexpr std::string_view kStreamStop = R"({"type":"stop"})";

/// A message of audio.
struct StreamFrames {
  Frame first{};
  std::string_view samples;  ///< of the message
};

/// Reads one that is not Opus. Throws RecorderError(invalid_argument) unless it has one or more whole frames of
/// `frame_bytes`.
StreamFrames parse_stream_frames(std::string_view message, std::size_t frame_bytes);

/// A message of Opus.
struct StreamPacket {
  Frame first{};
  Frame frames{};           ///< that the packet is decoded to
  std::string_view packet;  ///< of the message
};

/// Reads one; `sample_rate` is that of its frames. Throws RecorderError(invalid_argument) unless it has a packet of 120
/// ms at most (see `OpusDecoder::frames_in`). Whether that can be decoded is not known yet.
StreamPacket parse_stream_packet(std::string_view message, int sample_rate);

/// The number that begins one.
std::string stream_frame_number(Frame first);

/// Bytes of a sample; not of Opus.
std::size_t sample_bytes(StreamFormat encoding) noexcept;

/// The samples of a message that is not Opus. What is no finite number is 0.
std::vector<float> decode_samples(StreamFormat encoding, std::string_view bytes);

/// What the server says.
struct StreamWelcome {
  std::string session;
  std::string token;
  Frame received{};  ///< where the client goes on
  bool operator==(const StreamWelcome&) const = default;
};
struct StreamAcknowledged {
  Frame frames{};  ///< the first of the stream, which are safe
  bool operator==(const StreamAcknowledged&) const = default;
};
struct StreamEnded {
  std::string session;
  Frame frames{};
  bool operator==(const StreamEnded&) const = default;
};
std::string to_text(const StreamWelcome& welcome);
std::string to_text(const StreamAcknowledged& acknowledged);
std::string to_text(const StreamEnded& ended);

/// What a client reads: one of these, a problem, or an event, whose line it is.
struct StreamProblem {
  std::string code;
  std::string detail;
  bool operator==(const StreamProblem&) const = default;
};
struct StreamEvent {
  std::string id;
  std::string line;
  bool operator==(const StreamEvent&) const = default;
};
using StreamMessage = std::variant<StreamWelcome, StreamAcknowledged, StreamEnded, StreamProblem, StreamEvent>;

/// Throws RecorderError(invalid_argument).
StreamMessage parse_stream_message(std::string_view text);

}  // namespace dictum::server
