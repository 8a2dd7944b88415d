// What a client of the server may send, as text: addresses, ranges, media types, hosts, places in the events, tokens,
// the messages of a stream of audio, forms, and the messages of OpenAI's Realtime API.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "dictum/error.hpp"
#include "server/access.hpp"
#include "server/byte_range.hpp"
#include "server/event_cursor.hpp"
#include "server/form_reader.hpp"
#include "server/media_type.hpp"
#include "server/realtime_protocol.hpp"
#include "server/stream_protocol.hpp"
#include "server/target.hpp"
#include "server/token_list.hpp"
#include "server/transcription_form.hpp"

namespace {

using namespace dictum::server;

void require(bool holds) {
  if (!holds) std::abort();
}

void try_target(std::string_view text) {
  try {
    for (const std::string& segment : parse_target(text).path) {
      require(!segment.empty() && segment != "." && segment != "..");
      require(segment.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos);
    }
  } catch (const dictum::RecorderError&) {  // is the right answer to most of it
  }
}

void try_range(std::string_view text, std::uint64_t file_size) {
  const auto parsed = parse_byte_range(text, file_size);
  if (const auto* range = std::get_if<ByteRange>(&parsed)) {
    require(range->size > 0 && range->first < file_size && range->size <= file_size - range->first);
  }
}

void try_tokens(std::string_view text) {
  try {
    TokenList tokens;
    tokens.add(text);
    require(!tokens.scopes_of("a token"));
  } catch (const dictum::RecorderError&) {  // is the right answer to most of it
  }
}

void try_stream(std::string_view text) {
  try {
    const StreamHello hello = parse_stream_hello(text);
    require(to_text(parse_stream_hello(to_text(hello))) == to_text(hello));
    require(!hello.resume.empty() || (hello.format.sample_rate > 0 && hello.format.channels > 0));
  } catch (const dictum::RecorderError&) {  // is the right answer to most of it
  }
  try {
    parse_stream_message(text);
  } catch (const dictum::RecorderError&) {
  }
  try {
    const StreamFrames frames = parse_stream_frames(text, 4);
    require(frames.first >= 0 && frames.samples.size() % 4 == 0);
    decode_samples(StreamFormat::f32, frames.samples);
  } catch (const dictum::RecorderError&) {
  }
}

/// The parts of a form, or nothing where it is none.
class Parts final : public FormReader::Parts {
 public:
  void begin(std::string name, std::string file_name) override {
    require(!is_open_);
    is_open_ = true;
    text_ += name + '|' + file_name + '|';
  }
  void content(std::string_view bytes) override {
    require(is_open_ && !bytes.empty());
    text_ += bytes;
  }
  void end() override {
    require(is_open_);
    is_open_ = false;
    text_ += '\n';
  }

  static std::string of(std::string_view form, std::size_t piece) {
    try {
      Parts parts;
      FormReader reader("multipart/form-data; boundary=b", parts);
      for (std::size_t at = 0; at < form.size(); at += piece) reader.take(form.substr(at, piece));
      reader.finish();
      require(!parts.is_open_);
      return parts.text_;
    } catch (const dictum::RecorderError&) {  // is the right answer to most of it
      return {};
    }
  }

 private:
  std::string text_;
  bool is_open_ = false;
};

void try_form(std::string_view text) {
  require(Parts::of(text, 1) == Parts::of(text, text.size() + 1));
  for (const std::string& term : terms_of(text.substr(0, 1000))) require(!term.empty());
  try {
    Parts parts;
    const FormReader reader(text, parts);
  } catch (const dictum::RecorderError&) {
  }
}

void try_realtime(std::string_view text) {
  using Format = RealtimeSettings::Format;
  if (const auto bytes = decode_base64(text)) require(bytes->size() <= text.size());
  require(decode_realtime_audio(Format::pcmu, text).size() == text.size());
  require(decode_realtime_audio(Format::pcma, text).size() == text.size());
  std::string event_id;
  RealtimeSettings settings = default_realtime_settings({});
  try {
    const RealtimeCommand command = parse_realtime_message(text, event_id);
    const auto* const update = std::get_if<RealtimeUpdate>(&command);
    if (update == nullptr) return;
    update_settings(settings, *update, [](std::string_view) { return true; });
    dictum::RecorderConfig config;
    adapt(config, settings);
    config.validate();
  } catch (const FieldError&) {  // is the right answer to most of it
    require(event_id.size() <= 512);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_target(text);
  for (const std::uint64_t file_size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, ~std::uint64_t{0}}) {
    try_range(text, file_size);
  }
  accepts(text, "text/vtt");
  require(essence(text).size() <= size);
  if (const auto host = host_of(text)) require(!host->empty() && host->size() <= size);
  if (const auto cursor = parse_event_cursor(text); cursor && !cursor->front().session.empty()) {
    require(parse_event_cursor(to_text(*cursor)) == cursor);
  }
  try_tokens(text);
  try_stream(text);
  try_form(text);
  try_realtime(text);
  return 0;
}
