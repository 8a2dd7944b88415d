#include "server/stream_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "audio/format.hpp"
#include "audio/sample_format.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "server/event_feed.hpp"
#include "server/opus_decoder.hpp"
#include "server/problem.hpp"

namespace dictum::server {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kMaxDevice = 200;     // bytes
constexpr double kMaxClock = 253402300800;  // the year 10000

[[noreturn]] void refuse(const std::string& sentence) {
  throw RecorderError(Errc::invalid_argument, sentence);
}

boost::json::object parse_object(std::string_view text, std::string_view what) {
  boost::system::error_code error;
  boost::json::value value = json::parse(text, error);
  if (error || !value.is_object()) refuse(fmt::format("{} has to be a JSON object.", what));
  return std::move(value.as_object());
}

/// A member that has to be a text; empty where it is not there.
std::string text_member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* const value = object.if_contains(name);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(fmt::format("\"{}\" has to be a text.", name));
  return std::string(std::string_view(value->as_string()));
}

std::int64_t number_member(const boost::json::object& object, std::string_view name, std::int64_t min,
                           std::int64_t max) {
  const boost::json::value* const value = object.if_contains(name);
  if (value == nullptr) refuse(fmt::format("\"{}\" is missing.", name));
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error || number < min || number > max) refuse(fmt::format("\"{}\" has to be from {} to {}.", name, min, max));
  return number;
}

Frame frames_member(const boost::json::object& object, std::string_view name) {
  return number_member(object, name, 0, std::numeric_limits<std::int64_t>::max());
}

void require_type(const boost::json::object& object, std::string_view type) {
  if (text_member(object, "type") != type) {
    refuse(fmt::format(R"(A message with "type":"{}" is expected here, and "{}" is something else.)", type,
                       excerpt(text_member(object, "type"))));
  }
}

std::set<std::string, std::less<>> parse_types(const boost::json::object& object) {
  std::set<std::string, std::less<>> types;
  const boost::json::value* const wanted = object.if_contains("types");
  if (wanted == nullptr) {
    for (const EventType& type : event_types()) {
      if (!type.is_ephemeral) types.emplace(type.name);
    }
    return types;
  }
  if (!wanted->is_array()) refuse("\"types\" has to be a list of names of events.");
  if (wanted->as_array().empty()) refuse("\"types\" names no event: leave it out for all that are journaled.");
  for (const boost::json::value& each : wanted->as_array()) {
    const std::string_view name = each.is_string() ? std::string_view(each.as_string()) : std::string_view();
    if (std::ranges::find(event_types(), name, &EventType::name) == event_types().end()) {
      refuse(fmt::format("\"types\" has to be a list of names of events, and \"{}\" is none.", excerpt(name)));
    }
    types.emplace(name);
  }
  return types;
}

constexpr std::array<std::pair<std::string_view, StreamFormat>, 3> kEncodings = {
    {{"s16", StreamFormat::s16}, {"f32", StreamFormat::f32}, {"opus", StreamFormat::opus}}};

std::string_view name_of(StreamFormat encoding) {
  return std::ranges::find(kEncodings, encoding, &std::pair<std::string_view, StreamFormat>::second)->first;
}

StreamFormat parse_encoding(const std::string& name) {
  const auto* const found = std::ranges::find(kEncodings, name, &std::pair<std::string_view, StreamFormat>::first);
  if (found == kEncodings.end()) {
    refuse("\"format\" has to be \"s16\" or \"f32\", samples in little-endian order, or \"opus\".");
  }
  if (found->second == StreamFormat::opus && !OpusDecoder::is_available()) {
    refuse("This server was built without libopus, so it cannot decode Opus: send \"s16\" or \"f32\".");
  }
  return found->second;
}

audio::SampleFormat sample_format(StreamFormat encoding) {
  return encoding == StreamFormat::s16 ? audio::SampleFormat::s16 : audio::SampleFormat::f32;
}

/// The number that begins a message which has at least its bytes.
Frame parse_frame_number(std::string_view message) {
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    first |= std::uint64_t{static_cast<unsigned char>(message[i])} << (8 * i);
  }
  constexpr std::uint64_t kMaxFrame = std::uint64_t{1} << 62;
  if (first > kMaxFrame) refuse(fmt::format("{} is no number of a frame.", first));
  return static_cast<Frame>(first);
}

}  // namespace

StreamHello parse_stream_hello(std::string_view text) {
  const boost::json::object object = parse_object(text, "The first message");
  require_type(object, "hello");
  StreamHello hello;
  hello.resume = text_member(object, "resume");
  for (const auto& member : object) {
    static constexpr std::array<std::string_view, 5> kOfBoth = {"type", "resume", "after", "types", "device"};
    static constexpr std::array<std::string_view, 4> kOfNew = {"format", "rate", "channels", "clock"};
    const std::string_view name = member.key();
    if (std::ranges::find(kOfBoth, name) != kOfBoth.end()) continue;
    if (std::ranges::find(kOfNew, name) == kOfNew.end()) {
      refuse(fmt::format("A hello has no \"{}\": leave it out.", excerpt(name)));
    }
    if (!hello.resume.empty()) refuse(fmt::format("A stream that goes on keeps its \"{}\": leave it out.", name));
  }
  hello.types = parse_types(object);
  if (const std::string after = text_member(object, "after"); !after.empty()) {
    hello.after = parse_event_cursor(after);
    if (!hello.after) refuse("\"after\" has to be the id of an event.");
  }
  if (hello.after && hello.resume.empty()) refuse("\"after\" belongs to a stream that goes on: leave it out.");
  hello.device = utf8::on_one_line(text_member(object, "device"));
  if (hello.device.size() > kMaxDevice) refuse(fmt::format("\"device\" has more than {} bytes.", kMaxDevice));
  if (!hello.resume.empty()) return hello;
  hello.encoding = parse_encoding(text_member(object, "format"));
  hello.format.sample_rate = static_cast<int>(number_member(object, "rate", audio::kLowestRate, kMaxStreamRate));
  if (object.contains("channels")) {
    hello.format.channels = static_cast<int>(number_member(object, "channels", 1, kMaxStreamChannels));
  } else {
    hello.format.channels = 1;
  }
  if (hello.encoding == StreamFormat::opus && !OpusDecoder::has_format(hello.format)) {
    refuse("Opus has a \"rate\" of 8000, 12000, 16000, 24000 or 48000, and one or two \"channels\".");
  }
  if (const boost::json::value* const clock = object.if_contains("clock")) {
    boost::system::error_code error;
    hello.clock = clock->to_number<double>(error);
    if (error || !(*hello.clock >= 0 && *hello.clock < kMaxClock)) {
      refuse("\"clock\" has to be the time of the first frame in seconds since 1970.");
    }
  }
  return hello;
}

std::string to_text(const StreamHello& hello) {
  boost::json::object object{{"type", "hello"}};
  if (!hello.device.empty()) object["device"] = hello.device;
  if (hello.resume.empty()) {
    object["format"] = name_of(hello.encoding);
    object["rate"] = hello.format.sample_rate;
    object["channels"] = hello.format.channels;
    if (hello.clock) object["clock"] = *hello.clock;
  } else {
    object["resume"] = hello.resume;
    if (hello.after) object["after"] = to_text(*hello.after);
  }
  if (!hello.types.empty()) object["types"] = boost::json::array(hello.types.begin(), hello.types.end());
  return json::to_line(object);
}

void parse_stream_stop(std::string_view text) {
  const boost::json::object object = parse_object(text, "A message of text");
  require_type(object, "stop");
  if (object.size() > 1) refuse("A stop has no other members: leave them out.");
}

StreamFrames parse_stream_frames(std::string_view message, std::size_t frame_bytes) {
  if (message.size() <= kNumberBytes || (message.size() - kNumberBytes) % frame_bytes != 0) {
    refuse(fmt::format(
        "A message of audio has the number of its first frame in 8 bytes, and one or more frames of {} bytes; "
        "this one has {} bytes.",
        frame_bytes, message.size()));
  }
  return {parse_frame_number(message), message.substr(kNumberBytes)};
}

StreamPacket parse_stream_packet(std::string_view message, int sample_rate) {
  const std::string_view packet = message.substr(std::min(kNumberBytes, message.size()));
  const auto frames = OpusDecoder::frames_in(packet, sample_rate);
  if (!frames) {
    refuse(
        fmt::format("A message of Opus has the number of its first frame in 8 bytes, and one packet of up to {} bytes "
                    "and 120 ms; this one, of {} bytes, has something else.",
                    OpusDecoder::kMaxPacketBytes, message.size()));
  }
  return {parse_frame_number(message), *frames, packet};
}

std::string stream_frame_number(Frame first) {
  std::string bytes;
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    bytes += static_cast<char>(static_cast<std::uint64_t>(first) >> (8 * i) & 0xFF);
  }
  return bytes;
}

std::size_t sample_bytes(StreamFormat encoding) noexcept {
  return audio::size_of(sample_format(encoding));
}

std::vector<float> decode_samples(StreamFormat encoding, std::string_view bytes) {
  std::vector<float> samples(bytes.size() / sample_bytes(encoding));
  audio::decode(sample_format(encoding), std::as_bytes(std::span(bytes)), samples);
  for (float& each : samples) {
    if (!std::isfinite(each)) each = 0;
  }
  return samples;
}

std::string to_text(const StreamWelcome& welcome) {
  return json::to_line(boost::json::object{
      {"type", "welcome"}, {"session", welcome.session}, {"token", welcome.token}, {"received", welcome.received}});
}

std::string to_text(const StreamAcknowledged& acknowledged) {
  return fmt::format(R"({{"type":"acknowledged","frames":{}}})", acknowledged.frames);
}

std::string to_text(const StreamEnded& ended) {
  return json::to_line(boost::json::object{{"type", "ended"}, {"session", ended.session}, {"frames", ended.frames}});
}

StreamMessage parse_stream_message(std::string_view text) {
  const boost::json::object object = parse_object(text, "A message of the server");
  if (object.contains("event")) return StreamEvent{text_member(object, "id"), std::string(text)};
  const std::string type = text_member(object, "type");
  if (type == "welcome") {
    return StreamWelcome{text_member(object, "session"), text_member(object, "token"),
                         frames_member(object, "received")};
  }
  if (type == "acknowledged") return StreamAcknowledged{frames_member(object, "frames")};
  if (type == "ended") return StreamEnded{text_member(object, "session"), frames_member(object, "frames")};
  if (object.contains("code")) return StreamProblem{text_member(object, "code"), text_member(object, "detail")};
  refuse(fmt::format("\"{}\" is no message of a stream.", excerpt(type)));
}

}  // namespace dictum::server
