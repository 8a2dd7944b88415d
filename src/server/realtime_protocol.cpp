#include "server/realtime_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <cstdint>
#include <utility>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "config/vocabulary.hpp"
#include "server/problem.hpp"
#include "server/transcription_answer.hpp"

namespace dictum::server {
namespace {

using Format = RealtimeSettings::Format;
namespace bj = boost::json;

constexpr std::size_t kMaxID = 512;  // bytes, as OpenAI has it

struct FormatName {
  Format format;
  std::string_view type;  ///< "audio/pcm"
  std::string_view beta;  ///< the same in the API's beta
};
constexpr std::array<FormatName, 3> kFormats = {{{Format::pcm16, "audio/pcm", "pcm16"},
                                                 {Format::pcmu, "audio/pcmu", "g711_ulaw"},
                                                 {Format::pcma, "audio/pcma", "g711_alaw"}}};

[[noreturn]] void refuse(const std::string& field, std::string_view what) {
  throw FieldError(field, fmt::format("\"{}\" {}.", field, what));
}

[[noreturn]] void refuse_unknown(const std::string& path, std::string_view name) {
  const std::string field = path + "." + excerpt(name);
  refuse(field, "is not supported here: leave it out");
}

const bj::object& object_at(const bj::value& value, const std::string& path) {
  if (!value.is_object()) refuse(path, "has to be an object");
  return value.get_object();
}

std::string text_at(const bj::value& value, const std::string& path) {
  if (!value.is_string()) refuse(path, "has to be a text");
  return std::string(std::string_view(value.get_string()));
}

int integer_at(const bj::value& value, const std::string& path, int least, int most) {
  boost::system::error_code error;
  const auto number = value.to_number<std::int64_t>(error);
  if (error || number < least || number > most) {
    refuse(path, fmt::format("has to be a whole number from {} to {}", least, most));
  }
  return static_cast<int>(number);
}

/// What is not there for us: null and what stands for nothing are accepted.
void require_nothing(const bj::value& value, const std::string& path) {
  const bool is_nothing =
      value.is_null() || (value.is_bool() && !value.get_bool()) || (value.is_array() && value.get_array().empty());
  if (!is_nothing) refuse(path, "is not supported here: leave it out");
}

Format format_named(std::string_view name, std::string_view FormatName::* spelling, const std::string& path) {
  const auto* const known = std::ranges::find(kFormats, name, spelling);
  if (known == kFormats.end()) {
    refuse(path,
           fmt::format("has to be {}, {} or {}", kFormats[0].*spelling, kFormats[1].*spelling, kFormats[2].*spelling));
  }
  return known->format;
}

void read_format(RealtimeSettings& settings, const bj::value& value, const std::string& path) {
  const bj::object& format = object_at(value, path);
  for (const auto& [key, member] : format) {
    if (key == "type") {
      settings.format = format_named(text_at(member, path + ".type"), &FormatName::type, path + ".type");
    } else if (key != "rate") {
      refuse_unknown(path, key);
    }
  }
  if (const bj::value* const rate = format.if_contains("rate"); rate != nullptr && !rate->is_null()) {
    integer_at(*rate, path + ".rate", settings.sample_rate(), settings.sample_rate());
  }
}

void read_transcription(RealtimeSettings& settings, const bj::value& value, const std::string& path,
                        const std::function<bool(std::string_view)>& is_model) {
  for (const auto& [key, member] : object_at(value, path)) {
    const std::string at = path + "." + excerpt(key);
    if (key == "keywords") {
      if (!member.is_array()) refuse(at, "has to be a list of texts");
      settings.keywords.clear();
      for (const bj::value& keyword : member.get_array()) settings.keywords.push_back(text_at(keyword, at));
    } else if (key == "prompt") {
      settings.prompt = member.is_null() ? "" : text_at(member, at);
    } else if (key == "language") {
      settings.language = member.is_null() ? "" : text_at(member, at);
      if (!settings.language.empty() && !is_language(settings.language)) {
        refuse(at, "has to be a language like \"en\"");
      }
    } else if (key == "model") {
      settings.model = text_at(member, at);
      if (!is_model(settings.model)) refuse(at, "is no model of this server: GET /v1/models lists what there is");
    } else {
      refuse_unknown(path, key);
    }
  }
}

void read_turn_detection(RealtimeSettings& settings, const bj::value& value, const std::string& path,
                         const RealtimeSettings::TurnDetection& otherwise) {
  if (value.is_null()) {
    settings.turn_detection.reset();
    return;
  }
  RealtimeSettings::TurnDetection wanted = settings.turn_detection.value_or(otherwise);
  for (const auto& [key, member] : object_at(value, path)) {
    const std::string at = path + "." + excerpt(key);
    if (key == "type") {
      if (text_at(member, at) != "server_vad") refuse(at, "has to be server_vad");
    } else if (key == "threshold") {
      boost::system::error_code error;
      wanted.threshold = member.to_number<double>(error);
      if (error || !(wanted.threshold >= 0.2 && wanted.threshold <= 0.95)) {
        refuse(at, "has to be a number from 0.2 to 0.95");
      }
    } else if (key == "prefix_padding_ms") {
      wanted.prefix_padding_ms = integer_at(member, at, 0, 10'000);
    } else if (key == "silence_duration_ms") {
      wanted.silence_duration_ms = integer_at(member, at, 32, 60'000);
    } else if (key == "create_response" || key == "interrupt_response" || key == "idle_timeout_ms") {
      require_nothing(member, at);
    } else {
      refuse_unknown(path, key);
    }
  }
  settings.turn_detection = wanted;
}

/// A sample of G.711 (ITU-T), as 16 bits.
int decode_ulaw(std::uint8_t byte) {
  const int inverted = ~byte & 0xff;
  const int magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted & 0x70) >> 4)) - 0x84;
  return (inverted & 0x80) != 0 ? -magnitude : magnitude;
}

int decode_alaw(std::uint8_t byte) {
  const int toggled = byte ^ 0x55;
  const int exponent = (toggled & 0x70) >> 4;
  int magnitude = ((toggled & 0x0f) << 4) + 8;
  if (exponent > 0) magnitude = (magnitude + 0x100) << (exponent - 1);
  return (toggled & 0x80) != 0 ? magnitude : -magnitude;
}

std::vector<std::string> vocabulary_of(const RealtimeSettings& settings) {
  std::vector<std::string> terms = terms_of(settings.prompt);
  terms.insert(terms.end(), settings.keywords.begin(), settings.keywords.end());
  return terms;
}

RealtimeSettings::TurnDetection default_turn_detection() {
  const RecorderConfig::VAD vad;
  return {vad.threshold, vad.pre_roll_ms, vad.min_silence_ms};
}

}  // namespace

RealtimeSettings default_realtime_settings(const RecorderConfig& config) {
  RealtimeSettings settings;
  settings.model = "whisper-1";
  settings.turn_detection = {config.vad.threshold, config.vad.pre_roll_ms, config.vad.min_silence_ms};
  return settings;
}

void adapt(RecorderConfig& config, const RealtimeSettings& settings) {
  if (settings.turn_detection) {
    config.vad.threshold = settings.turn_detection->threshold;
    config.vad.pre_roll_ms = settings.turn_detection->prefix_padding_ms;
    config.vad.min_silence_ms = settings.turn_detection->silence_duration_ms;
  }
  config.vad.mode = VADMode::normal;
  if (!settings.language.empty()) config.transcription.language = settings.language;
  const std::vector<std::string> terms = vocabulary_of(settings);
  auto& vocabulary = config.transcription.vocabulary;
  vocabulary.insert(vocabulary.begin(), terms.begin(), terms.end());
}

RealtimeCommand parse_realtime_message(std::string_view text, std::string& event_id) {
  boost::system::error_code error;
  bj::value value = json::parse(text, error);
  if (error || !value.is_object()) throw FieldError("", "A message has to be a JSON object.");
  bj::object& message = value.get_object();
  if (const bj::value* const id = message.if_contains("event_id"); id != nullptr && !id->is_null()) {
    const std::string given = text_at(*id, "event_id");
    if (given.size() > kMaxID) refuse("event_id", "has to have 512 bytes at most");
    event_id = given;
  }
  const bj::value* const type_member = message.if_contains("type");
  if (type_member == nullptr) refuse("type", "is missing");
  const std::string type = text_at(*type_member, "type");
  const bool is_update = type == "session.update" || type == "transcription_session.update";
  const bool is_append = type == "input_audio_buffer.append";
  if (!is_update && !is_append && type != "input_audio_buffer.commit" && type != "input_audio_buffer.clear") {
    throw FieldError("type",
                     fmt::format("\"{}\" is not supported here: session.update, transcription_session.update and "
                                 "input_audio_buffer.append, .commit and .clear are.",
                                 excerpt(type)));
  }
  const std::string_view content = is_update ? "session" : is_append ? "audio" : "";
  for (const auto& [key, member] : message) {
    if (key != "type" && key != "event_id" && key != content) refuse_unknown("message", key);
  }
  bj::value* const member = content.empty() ? nullptr : message.if_contains(content);
  if (member == nullptr && !content.empty()) refuse(std::string(content), "is missing");
  if (is_update) {
    object_at(*member, "session");
    return RealtimeUpdate{type.starts_with("transcription"), std::move(member->get_object())};
  }
  if (is_append) {
    auto audio = member->is_string() ? decode_base64(member->get_string()) : std::nullopt;
    if (!audio) refuse("audio", "has to be a text in base64");
    if (audio->size() > kMaxRealtimeAudio) {
      refuse("audio",
             fmt::format("has to have {} MiB at most: append it in several messages", kMaxRealtimeAudio >> 20));
    }
    return RealtimeAppend{std::move(*audio)};
  }
  if (type == "input_audio_buffer.commit") return RealtimeCommit{};
  return RealtimeClear{};
}

void update_settings(RealtimeSettings& settings, const RealtimeUpdate& update,
                     const std::function<bool(std::string_view)>& is_model) {
  RealtimeSettings changed = settings;
  const auto otherwise = default_turn_detection();
  for (const auto& [key, value] : update.session) {
    const std::string at = "session." + excerpt(key);
    if (key == "include" || (key == "input_audio_noise_reduction" && update.is_beta)) {
      require_nothing(value, at);
    } else if (key == "type" && !update.is_beta) {
      if (text_at(value, at) != "transcription") refuse(at, "has to be transcription");
    } else if (key == "audio" && !update.is_beta) {
      for (const auto& [name, input] : object_at(value, at)) {
        if (name != "input") refuse_unknown(at, name);
        const std::string in = at + ".input";
        for (const auto& [part, member] : object_at(input, in)) {
          const std::string path = in + "." + excerpt(part);
          if (part == "format") {
            read_format(changed, member, path);
          } else if (part == "transcription") {
            read_transcription(changed, member, path, is_model);
          } else if (part == "turn_detection") {
            read_turn_detection(changed, member, path, otherwise);
          } else if (part == "noise_reduction") {
            require_nothing(member, path);
          } else {
            refuse_unknown(in, part);
          }
        }
      }
    } else if (key == "input_audio_format" && update.is_beta) {
      changed.format = format_named(text_at(value, at), &FormatName::beta, at);
    } else if (key == "input_audio_transcription" && update.is_beta) {
      read_transcription(changed, value, at, is_model);
    } else if (key == "turn_detection" && update.is_beta) {
      read_turn_detection(changed, value, at, otherwise);
    } else {
      refuse_unknown("session", key);
    }
  }
  const std::string complaint = config::complaint_about_vocabulary(vocabulary_of(changed));
  if (!complaint.empty()) throw FieldError("prompt", fmt::format("The prompt, with the keywords, {}.", complaint));
  settings = std::move(changed);
}

std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static const auto values = [] {
    std::array<int, 256> of{};
    of.fill(-1);
    for (std::size_t i = 0; i < kDigits.size(); ++i) of[static_cast<unsigned char>(kDigits[i])] = static_cast<int>(i);
    return of;
  }();
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  unsigned int bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = values[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned int>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xff);
    }
  }
  if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;  // of bits that belong to no byte
  return bytes;
}

std::vector<float> decode_realtime_audio(Format format, std::string_view bytes) {
  constexpr float kScale = 1.0F / 32768;
  std::vector<float> samples;
  if (format == Format::pcm16) {
    if (bytes.size() % 2 != 0) refuse("audio", "has to be whole samples of 16 bits");
    samples.reserve(bytes.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
      const auto low = static_cast<std::uint8_t>(bytes[i]);
      const auto high = static_cast<std::uint8_t>(bytes[i + 1]);
      samples.push_back(static_cast<float>(static_cast<std::int16_t>(low | high << 8)) * kScale);
    }
    return samples;
  }
  samples.reserve(bytes.size());
  for (const char byte : bytes) {
    const auto code = static_cast<std::uint8_t>(byte);
    samples.push_back(static_cast<float>(format == Format::pcmu ? decode_ulaw(code) : decode_alaw(code)) * kScale);
  }
  return samples;
}

bj::object session_json(const RealtimeSettings& settings, const std::string& id, bool is_beta) {
  const auto* const format = std::ranges::find(kFormats, settings.format, &FormatName::format);
  bj::object transcription{{"model", settings.model}, {"language", settings.language}, {"prompt", settings.prompt}};
  if (!settings.keywords.empty()) transcription["keywords"] = bj::value_from(settings.keywords);
  bj::value turn_detection = nullptr;
  if (settings.turn_detection) {
    turn_detection = {{"type", "server_vad"},
                      {"threshold", settings.turn_detection->threshold},
                      {"prefix_padding_ms", settings.turn_detection->prefix_padding_ms},
                      {"silence_duration_ms", settings.turn_detection->silence_duration_ms}};
  }
  if (is_beta) {
    return {{"id", id},
            {"object", "realtime.transcription_session"},
            {"input_audio_format", format->beta},
            {"input_audio_transcription", std::move(transcription)},
            {"turn_detection", std::move(turn_detection)},
            {"input_audio_noise_reduction", nullptr}};
  }
  bj::object audio_format{{"type", format->type}};
  if (settings.format == Format::pcm16) audio_format["rate"] = settings.sample_rate();
  return {{"id", id},
          {"object", "realtime.transcription_session"},
          {"type", "transcription"},
          {"audio",
           {{"input",
             {{"format", std::move(audio_format)},
              {"transcription", std::move(transcription)},
              {"turn_detection", std::move(turn_detection)},
              {"noise_reduction", nullptr}}}}}};
}

bj::object realtime_error(const Response& problem, std::string_view event_id) {
  bj::object error = openai_error(problem);
  error["event_id"] = event_id.empty() ? bj::value(nullptr) : bj::value(event_id);
  return {{"type", "error"}, {"error", std::move(error)}};
}

}  // namespace dictum::server
