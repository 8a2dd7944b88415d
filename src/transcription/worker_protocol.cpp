#include "transcription/worker_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <limits>
#include <utility>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "dictum/error.hpp"

namespace dictum::transcription {
namespace {

namespace js = boost::json;

constexpr std::size_t kLengthBytes = 4;

[[noreturn]] void refuse(const std::string& sentence) {
  throw RecorderError(Errc::worker_protocol, "worker protocol: " + sentence);
}

using json::Fields;

/// A probability. What lies outside 0 to 1 is rounding, or an engine's own scale, and is clamped.
double share_in(const Fields& fields, std::string_view key) {
  return std::clamp(fields.number(key), 0.0, 1.0);
}

std::vector<std::string> texts_in(const Fields& fields, std::string_view key) {
  std::vector<std::string> texts;
  for (const js::value& item : fields.array_or_empty(key)) texts.push_back(fields.text_in(key, item));
  return texts;
}

template <class Item, class Make>
std::vector<Item> items_in(const Fields& fields, std::string_view key, Make make) {
  std::vector<Item> items;
  const std::string owner = fmt::format("\"{}\"", key);
  for (const js::value& item : fields.array_or_empty(key)) items.push_back(make(fields.fields_in(item, owner)));
  return items;
}

std::map<std::string, double> numbers_in(const Fields& fields, std::string_view key) {
  std::map<std::string, double> numbers;
  if (fields.find(key) == nullptr) return numbers;
  for (const auto& [name, item] : fields.object(key)) numbers.emplace(name, fields.number_in(key, item));
  return numbers;
}

/// `start_frame` and `end_frame` of an object, in order and from 0.
FrameRange frames_in(const Fields& fields) {
  const auto start = fields.integer<Frame>("start_frame", 0);
  return {start, fields.integer<Frame>("end_frame", start)};
}

js::array strings(const std::vector<std::string>& texts) {
  return js::array(texts.begin(), texts.end());
}

// One pair of functions for each message: to its fields, and back.

void write(js::object& out, const Hello& hello) {
  out["protocol"] = hello.protocol;
  out["engine"] = hello.engine;
  out["model"] = hello.model;
  out["languages"] = strings(hello.languages);
  out["abilities"] = strings(hello.abilities);
  if (hello.cancel_ms) out["cancel_ms"] = *hello.cancel_ms;
}
Hello read(std::in_place_type_t<Hello>, const Fields& in) {
  return {.protocol = in.integer<int>("protocol"),
          .engine = in.text("engine"),
          .model = in.text_or("model", ""),
          .languages = texts_in(in, "languages"),
          .abilities = texts_in(in, "abilities"),
          .cancel_ms = in.optional_integer<int>("cancel_ms", 0)};
}

void write(js::object& out, const Progress& progress) {
  out["id"] = progress.id;
  out["fraction"] = progress.fraction;
}
Progress read(std::in_place_type_t<Progress>, const Fields& in) {
  return {.id = in.integer<std::uint64_t>("id"), .fraction = share_in(in, "fraction")};
}

void write(js::object& out, const Partial& partial) {
  out["id"] = partial.id;
  out["text"] = partial.text;
}
Partial read(std::in_place_type_t<Partial>, const Fields& in) {
  return {.id = in.integer<std::uint64_t>("id"), .text = in.text("text")};
}

void write(js::object& out, const Result& result) {
  out["id"] = result.id;
  out["text"] = result.text;
  js::array words;
  for (const Word& word : result.words) {
    words.push_back({{"text", word.text},
                     {"start_frame", word.start_frame},
                     {"end_frame", word.end_frame},
                     {"confidence", word.confidence}});
  }
  out["words"] = std::move(words);
  js::array phrases;
  for (const DetectedPhrase& phrase : result.phrases) {
    phrases.push_back({{"phrase", phrase.phrase},
                       {"start_frame", phrase.start_frame},
                       {"end_frame", phrase.end_frame},
                       {"confidence", phrase.confidence}});
  }
  out["phrases"] = std::move(phrases);
  if (result.no_speech_probability) out["no_speech_probability"] = *result.no_speech_probability;
  out["suspect"] = result.suspect;
  out["timings"] = js::object(result.timings.begin(), result.timings.end());
  out["suspect_reason"] = result.suspect_reason;
  out["annotations"] = strings(result.annotations);
  out["engine"] = result.engine;
  out["model"] = result.model;
  out["language"] = result.language;
}
Result read(std::in_place_type_t<Result>, const Fields& in) {
  Result result{.id = in.integer<std::uint64_t>("id"), .text = in.text("text")};
  result.words = items_in<Word>(in, "words", [](const Fields& word) {
    const FrameRange at = frames_in(word);
    return Word{word.text("text"), at.start, at.end, share_in(word, "confidence")};
  });
  result.phrases = items_in<DetectedPhrase>(in, "phrases", [](const Fields& phrase) {
    const FrameRange at = frames_in(phrase);
    return DetectedPhrase{phrase.text("phrase"), share_in(phrase, "confidence"), at.start, at.end};
  });
  if (in.find("no_speech_probability") != nullptr) result.no_speech_probability = share_in(in, "no_speech_probability");
  result.suspect = in.flag_or("suspect", false);
  result.timings = numbers_in(in, "timings");
  result.suspect_reason = in.text_or("suspect_reason", "");
  result.annotations = texts_in(in, "annotations");
  result.engine = in.text_or("engine", "");
  result.model = in.text_or("model", "");
  result.language = in.text_or("language", "");
  return result;
}

void write(js::object& out, const Error& error) {
  if (error.id) out["id"] = *error.id;
  out["code"] = error.code;
  out["message"] = error.message;
  out["fatal"] = error.fatal;
}
Error read(std::in_place_type_t<Error>, const Fields& in) {
  return {.id = in.optional_integer<std::uint64_t>("id"),
          .code = in.text_or("code", Error{}.code),
          .message = in.text("message"),
          .fatal = in.flag_or("fatal", false)};
}

void write(js::object& out, const Pong& pong) {
  out["nonce"] = pong.nonce;
}
Pong read(std::in_place_type_t<Pong>, const Fields& in) {
  return {in.integer<std::uint64_t>("nonce")};
}

void write(js::object& out, const Job& job) {
  out["id"] = job.id;
  out["wav"] = job.wav;
  if (job.range) {
    out["start_frame"] = job.range->start;
    out["end_frame"] = job.range->end;
  }
  out["language"] = job.language;
  out["prompt"] = job.prompt;
  out["phrases"] = strings(job.phrases);
  out["vocabulary"] = strings(job.vocabulary);
  out["session"] = job.session;
  out["segment_index"] = job.segment_index;
  out["attempt"] = job.attempt;
  out["interim"] = job.interim;
  if (job.background) out["background"] = true;
}
Job read(std::in_place_type_t<Job>, const Fields& in) {
  Job job{.id = in.integer<std::uint64_t>("id"), .wav = in.text("wav")};
  if (in.optional_integer<Frame>("start_frame") || in.optional_integer<Frame>("end_frame")) job.range = frames_in(in);
  job.language = in.text_or("language", "");
  job.prompt = in.text_or("prompt", "");
  job.phrases = texts_in(in, "phrases");
  job.vocabulary = texts_in(in, "vocabulary");
  job.session = in.text_or("session", "");
  job.segment_index = in.optional_integer<std::uint32_t>("segment_index").value_or(0);
  job.attempt = in.optional_integer<int>("attempt").value_or(1);
  job.interim = in.flag_or("interim", false);
  job.background = in.flag_or("background", false);
  return job;
}

void write(js::object& out, const Cancel& cancel) {
  out["id"] = cancel.id;
}
Cancel read(std::in_place_type_t<Cancel>, const Fields& in) {
  return {in.integer<std::uint64_t>("id")};
}

void write(js::object& out, const Ping& ping) {
  out["nonce"] = ping.nonce;
}
Ping read(std::in_place_type_t<Ping>, const Fields& in) {
  return {in.integer<std::uint64_t>("nonce")};
}

void write(js::object&, const Shutdown&) {}
Shutdown read(std::in_place_type_t<Shutdown>, const Fields&) {
  return {};
}

/// In the order of Message.
constexpr std::string_view kNames[] = {"hello", "progress", "partial", "result", "error",
                                       "pong",  "job",      "cancel",  "ping",   "shutdown"};
static_assert(std::size(kNames) == std::variant_size_v<Message>);

template <std::size_t... index>
Message read_as(std::size_t wanted, const Fields& in, std::index_sequence<index...>) {
  Message message;
  ((index == wanted ? void(message = read(std::in_place_type<std::variant_alternative_t<index, Message>>, in))
                    : void()),
   ...);
  return message;
}

}  // namespace

std::string_view type_name(const Message& message) noexcept {
  return kNames[message.index()];
}

std::string encode(const Message& message) {
  js::object object;
  object["type"] = type_name(message);
  std::visit([&](const auto& fields) { write(object, fields); }, message);
  const std::string text = json::to_line(object);
  if (text.size() > kMaxFrameBytes)
    refuse(fmt::format("a {} of {} bytes is too long", type_name(message), text.size()));

  std::string frame;
  frame.reserve(kLengthBytes + text.size());
  for (std::size_t i = 0; i < kLengthBytes; ++i) frame += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return frame += text;
}

Message decode(std::string_view text) {
  boost::system::error_code error;
  const js::value value = js::parse(text, error);
  if (error) refuse("a frame is not JSON: " + error.message());
  if (!value.is_object()) refuse("a frame is not a JSON object");
  const std::string type = Fields(value, "a message", refuse).text("type");
  const auto* const name = std::ranges::find(kNames, type);
  if (name == std::end(kNames)) refuse(fmt::format("there is no message of type \"{}\"", type.substr(0, 40)));
  return read_as(static_cast<std::size_t>(name - kNames),
                 Fields(value, fmt::format("a message of type \"{}\"", *name), refuse),
                 std::make_index_sequence<std::variant_size_v<Message>>{});
}

void FrameReader::feed(std::span<const std::byte> bytes) {
  if (broken_) refuse("the stream is broken");
  buffer_.erase(0, std::exchange(begin_, 0));
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::optional<Message> FrameReader::next() {
  if (std::exchange(broken_, true)) refuse("the stream is broken");  // until this frame turns out to be good
  std::optional<Message> message;
  if (const std::size_t held = buffer_.size() - begin_; held >= kLengthBytes) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      length |= std::size_t{static_cast<unsigned char>(buffer_[begin_ + i])} << (8 * i);
    }
    if (length > max_frame_bytes_) refuse(fmt::format("a frame of {} bytes is too long", length));
    if (held - kLengthBytes >= length) {
      message = decode(std::string_view(buffer_).substr(begin_ + kLengthBytes, length));
      begin_ += kLengthBytes + length;
    }
  }
  if (at_boundary()) {
    // A long frame is rare: its memory is freed.
    if (buffer_.capacity() > (std::size_t{1} << 20)) buffer_ = {};
    buffer_.clear();
    begin_ = 0;
  }
  broken_ = false;
  return message;
}

}  // namespace dictum::transcription
