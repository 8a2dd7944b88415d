#include "config/config_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value_to.hpp>
#include <charconv>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/json.hpp"
#include "base/nearest.hpp"
#include "base/utf8.hpp"
#include "config/note_phrases.hpp"
#include "config/vocabulary.hpp"
#include "dictum/error.hpp"
#include "dictum/text.hpp"
#include "notes/phrase_matcher.hpp"

namespace dictum::config {
namespace {

constexpr double kAny = std::numeric_limits<double>::max();

template <class Member>
ConfigValue to_value(const Member& member) {
  if constexpr (std::is_same_v<Member, std::filesystem::path>) {
    return member.string();
  } else if constexpr (std::is_same_v<Member, VADMode>) {
    return std::string(to_string(member));
  } else if constexpr (std::is_same_v<Member, int>) {
    return static_cast<std::int64_t>(member);
  } else {
    return member;
  }
}

template <class Member>
void from_value(Member& member, const ConfigValue& value) {
  if constexpr (std::is_same_v<Member, VADMode>) {
    member = std::get<std::string>(value) == to_string(VADMode::long_note) ? VADMode::long_note : VADMode::normal;
  } else if constexpr (std::is_same_v<Member, int>) {
    member = static_cast<int>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<Member, std::filesystem::path>) {
    member = std::get<std::string>(value);
  } else {
    member = std::get<Member>(value);
  }
}

template <class Section, class Member>
ConfigField field(std::string_view section, std::string_view key, Section RecorderConfig::* in, Member Section::* at,
                  std::string_view help, double least = -kAny, double most = kAny) {
  return {.section = section,
          .key = key,
          .help = help,
          .example = to_value(RecorderConfig().*in.*at),
          .least = least,
          .most = most,
          .one_of = {},
          .may_be_empty = false,
          .complaint = {},
          .get = [in, at](const RecorderConfig& config) { return to_value(config.*in.*at); },
          .set = [in, at](RecorderConfig& config, const ConfigValue& value) { from_value(config.*in.*at, value); }};
}

template <class Section, class Member>
ConfigField word(std::string_view section, std::string_view key, Section RecorderConfig::* in, Member Section::* at,
                 std::string_view help, std::vector<std::string_view> one_of) {
  ConfigField made = field(section, key, in, at, help);
  made.one_of = std::move(one_of);
  return made;
}

using Phrases = std::vector<std::string>;
using Table = std::map<std::string, std::string>;

std::string complaint_about_phrases(const ConfigValue& value) {
  constexpr std::size_t kMaxPhrases = 50;
  constexpr std::size_t kMaxPhraseBytes = 100;
  const auto& list = std::get<Phrases>(value);
  if (list.size() > kMaxPhrases) return fmt::format("has {} phrases; it may have {}", list.size(), kMaxPhrases);
  for (const std::string& phrase : list) {
    if (phrase.size() > kMaxPhraseBytes) return fmt::format("has a phrase of more than {} bytes", kMaxPhraseBytes);
    if (!notes::is_phrase(phrase)) {
      return fmt::format("has the phrase \"{}\", in which there is no word to recognise it by",
                         utf8::on_one_line(phrase));
    }
  }
  return {};
}

ConfigField phrases(std::string_view key, Phrases RecorderConfig::Notes::* at, std::string_view help) {
  ConfigField made = field("notes", key, &RecorderConfig::notes, at, help);
  made.complaint = complaint_about_phrases;
  return made;
}

/// `text` without spaces around it.
std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

ConfigField vocabulary() {
  using T = RecorderConfig::Transcription;
  ConfigField made = field("transcription", "vocabulary", &RecorderConfig::transcription, &T::vocabulary,
                           "names and terms that are likely to be said, for example Kovacs,Tallinn");
  made.complaint = [](const ConfigValue& value) { return complaint_about_vocabulary(std::get<Phrases>(value)); };
  return made;
}

std::string complaint_about_replacements(const ConfigValue& value) {
  constexpr std::size_t kMaxReplacements = 1000;
  constexpr std::size_t kMaxBytes = 200;
  const auto& table = std::get<Table>(value);
  if (table.size() > kMaxReplacements) {
    return fmt::format("has {} corrections; it may have {}", table.size(), kMaxReplacements);
  }
  for (const auto& [from, to] : table) {
    if (from.size() > kMaxBytes || to.size() > kMaxBytes) {
      return fmt::format("has a correction of more than {} bytes", kMaxBytes);
    }
    if (!notes::PhraseMatcher::has_words(from)) {
      return fmt::format("corrects \"{}\", in which there is no word", utf8::on_one_line(from));
    }
    if (trimmed(to).empty()) return fmt::format("corrects \"{}\" to nothing", utf8::on_one_line(from));
    if (utf8::on_one_line(to) != to) {
      return fmt::format("corrects \"{}\" to what is not one line of UTF-8", utf8::on_one_line(from));
    }
  }
  return {};
}

ConfigField replacements() {
  using T = RecorderConfig::Transcription;
  ConfigField made = field("transcription", "replacements", &RecorderConfig::transcription, &T::replacements,
                           "fixed corrections of texts, as JSON: {\"what is written\": \"what is meant\"}");
  made.complaint = complaint_about_replacements;
  return made;
}

/// The form of a tag only: which languages there are, an engine knows.
std::string complaint_about_language(const ConfigValue& value) {
  const auto& tag = std::get<std::string>(value);
  const bool is_well_formed = std::ranges::all_of(tag, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (is_well_formed) return {};
  std::string hyphenated = utf8::on_one_line(tag);
  std::ranges::replace(hyphenated, '_', '-');
  if (const auto encoding = hyphenated.find('.'); encoding != std::string::npos) hyphenated.resize(encoding);
  return fmt::format("is \"{}\", which is no language tag; write \"{}\", or auto", utf8::on_one_line(tag), hyphenated);
}

ConfigField language() {
  using T = RecorderConfig::Transcription;
  ConfigField made = field("transcription", "language", &RecorderConfig::transcription, &T::language,
                           "language, for example en; auto: what is spoken, decided once a session");
  made.complaint = complaint_about_language;
  return made;
}

std::string complaint_about_age(const ConfigValue& value) {
  const auto& text = std::get<std::string>(value);
  if (text.empty()) return {};
  if (const auto parsed = parse_age(text)) {
    if (parsed->count() > 0) return {};
    return fmt::format("is \"{}\", which would delete every session; write how old, for example 90d, 12h or 8w", text);
  }
  return fmt::format("is \"{}\"; write how old, for example 90d, 12h or 8w", utf8::on_one_line(text));
}

ConfigField age(std::string_view section, std::string_view key, std::string RecorderConfig::Retention::* at,
                std::string_view help) {
  ConfigField made = field(section, key, &RecorderConfig::retention, at, help);
  made.complaint = complaint_about_age;
  made.may_be_empty = true;
  return made;
}

std::vector<ConfigField> make_fields() {
  using C = RecorderConfig;
  return {
      field("capture", "input", &C::capture, &C::Capture::input,
            "a file instead of the microphone; - is standard input"),
      field("capture", "input_format", &C::capture, &C::Capture::input_format,
            "samples that have no header, in a file or on standard input, for example s16le:48000:2"),
      field("capture", "device", &C::capture, &C::Capture::device, "microphone: its id, name, or a part of it"),
      word("capture", "backend", &C::capture, &C::Capture::backend, "sound system", {"auto", "pulse", "portaudio"}),
      field("capture", "channel", &C::capture, &C::Capture::channel, "channel to record, from 0, or mix"),
      word("capture", "pace", &C::capture, &C::Capture::pace, "how fast a file is read; by dictum record: fast",
           {"realtime", "fast"}),
      field("capture", "block_frames", &C::capture, &C::Capture::block_frames, "frames a reading; 0: 100 ms", 0, 1e6),
      field("capture", "duration_sec", &C::capture, &C::Capture::duration_sec,
            "stop after so many seconds; 0: no limit", 0, 1e9),
      field("capture", "stop_after_silence_sec", &C::capture, &C::Capture::stop_after_silence_sec,
            "stop after so many seconds without speech; 0: never", 0, 1e9),
      word("vad", "detector", &C::vad, &C::VAD::detector, "speech detector", {"silero", "energy"}),
      field("vad", "threshold", &C::vad, &C::VAD::threshold, "probability from which a window is speech", 0.2, 0.95),
      word("vad", "mode", &C::vad, &C::VAD::mode, "which silence ends a segment", {"normal", "long_note"}),
      field("vad", "min_silence_ms", &C::vad, &C::VAD::min_silence_ms, "silence that ends a segment", 32, 60000),
      field("vad", "long_note_silence_ms", &C::vad, &C::VAD::long_note_silence_ms, "the same in long_note mode", 32,
            60000),
      field("vad", "pre_roll_ms", &C::vad, &C::VAD::pre_roll_ms, "audio kept before speech", 0, 10000),
      field("vad", "post_roll_ms", &C::vad, &C::VAD::post_roll_ms, "audio kept after speech", 0, 10000),
      field("vad", "min_speech_ms", &C::vad, &C::VAD::min_speech_ms, "less speech than this is not kept", 0, 10000),
      field("vad", "max_segment_sec", &C::vad, &C::VAD::max_segment_sec, "longer segments are split", 6, 3600),
      field("vad", "rescue_gain", &C::vad, &C::VAD::rescue_gain, "amplify very quiet input for the speech detector"),
      field("transcription", "transcriber", &C::transcription, &C::Transcription::transcriber,
            "auto, none, or the name of a worker"),
      field("transcription", "model", &C::transcription, &C::Transcription::model, "model: a name or a file"),
      language(),
      vocabulary(),
      field("transcription", "vocabulary_file", &C::transcription, &C::Transcription::vocabulary_file,
            "file with more of them, one a line"),
      replacements(),
      field("transcription", "workers", &C::transcription, &C::Transcription::workers, "worker processes", 1, 64),
      field("transcription", "deadline_base_sec", &C::transcription, &C::Transcription::deadline_base_sec,
            "an attempt may take this long ...", 0.05, 86400),
      field("transcription", "deadline_per_sec", &C::transcription, &C::Transcription::deadline_per_sec,
            "... and this much more a second of audio", 0, 3600),
      field("transcription", "drain_sec", &C::transcription, &C::Transcription::drain_sec,
            "how long a stop waits for texts; negative: no limit, as for files of dictum record", -kAny, 86400),
      field("transcription", "memory_mb", &C::transcription, &C::Transcription::memory_mb,
            "MiB of memory that a worker may take; 0: no limit", 0, 1 << 20),
      word("transcription", "eager", &C::transcription, &C::Transcription::eager,
           "transcribe before the end of a segment is certain", {"auto", "true", "false"}),
      field("transcription", "unload_after_sec", &C::transcription, &C::Transcription::unload_after_sec,
            "end a worker that is idle for so long; 0: never", 0, 1e6),
      field("transcription.simulated", "script", &C::transcription, &C::Transcription::simulated_script,
            "script of the simulated transcriber"),
      field("transcription.nats", "url", &C::transcription, &C::Transcription::nats_url,
            "servers of the nats transcriber, for example nats://gpu.local:4222"),
      field("transcription.nats", "credentials", &C::transcription, &C::Transcription::nats_credentials,
            "file with NATS credentials, an nkey seed, USER:PASSWORD or a token"),
      field("transcription.nats", "tls_ca", &C::transcription, &C::Transcription::nats_tls_ca,
            "file of certificates that the server's must be signed by"),
      field("transcription.nats", "tls_cert", &C::transcription, &C::Transcription::nats_tls_cert,
            "certificate of this machine, where the server asks for one"),
      field("transcription.nats", "tls_key", &C::transcription, &C::Transcription::nats_tls_key,
            "key of that certificate"),
      field("transcription.nats", "queue", &C::transcription, &C::Transcription::nats_queue,
            "which workers take the jobs; otherwise those of the model, or of the queue \"default\""),
      field("transcription.nats", "fallback_after_sec", &C::transcription, &C::Transcription::nats_fallback_after_sec,
            "after so long without the cluster this machine transcribes until it is back; 0: never", 0, 86400),
      field("transcription.nats", "fallback", &C::transcription, &C::Transcription::nats_fallback,
            "the transcriber that does it: auto, or the name of a worker"),
      field("session", "root", &C::session, &C::Session::root,
            "folder of the sessions; otherwise dictum/sessions in $XDG_DATA_HOME or ~/.local/share"),
      field("session", "keep_all", &C::session, &C::Session::keep_all, "also keep the whole timeline as FLAC"),
      word("session", "durability", &C::session, &C::Session::durability, "what the newest second survives",
           {"power", "crash"}),
      phrases("start", &C::Notes::start, "phrases that begin a note"),
      phrases("title", &C::Notes::title, "phrases that lead in its title"),
      phrases("end", &C::Notes::end, "phrases that complete a note"),
      phrases("cancel", &C::Notes::cancel, "phrases that cancel a note"),
      phrases("scratch", &C::Notes::scratch, "phrases that take back what was said last"),
      phrases("stop", &C::Notes::stop, "phrases that end the recording"),
      phrases("prefix", &C::Notes::prefix, "what may be said before a command"),
      age("retention", "older_than", &C::Retention::older_than,
          "delete sessions that are older, at each start; empty: never"),
      field("retention", "keep_notes", &C::retention, &C::Retention::keep_notes, "sessions with notes stay"),
      field("events", "level_hz", &C::events, &C::Events::level_hz,
            "AudioLevel events a second; 10 for what shows them", 0, 20),
  };
}

template <class Number>
std::optional<Number> number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(std::string_view where, const ConfigField& field, std::string_view why) {
  throw RecorderError(Errc::config_invalid, fmt::format("{}: {} {}.", where, field.name(), why));
}

void check(const ConfigField& field, const ConfigValue& value, std::string_view where) {
  const auto in_range = [&](double number) {
    if (number >= field.least && number <= field.most) return;
    refuse(where, field, fmt::format("is {}; it must lie between {} and {}", number, field.least, field.most));
  };
  if (const auto* whole = std::get_if<std::int64_t>(&value)) in_range(static_cast<double>(*whole));
  if (const auto* number = std::get_if<double>(&value)) in_range(*number);
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !field.one_of.empty()) {
    if (std::ranges::find(field.one_of, *text) == field.one_of.end()) {
      refuse(where, field, fmt::format("is \"{}\"; it must be one of: {}", *text, fmt::join(field.one_of, ", ")));
    }
  }
  if (!field.complaint) return;
  if (const std::string complaint = field.complaint(value); !complaint.empty()) refuse(where, field, complaint);
}

}  // namespace

const std::vector<ConfigField>& config_fields() {
  static const std::vector<ConfigField> fields = make_fields();
  return fields;
}

const ConfigField& find_config_field(std::string_view section, std::string_view key) {
  const auto& fields = config_fields();
  const auto found = std::ranges::find_if(
      fields, [&](const ConfigField& field) { return field.section == section && field.key == key; });
  if (found != fields.end()) return *found;
  std::vector<std::string> names;
  for (const ConfigField& field : fields) names.push_back(field.name());
  const std::string wanted = section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
  throw RecorderError(Errc::config_invalid,
                      fmt::format("unknown setting \"{}\": did you mean \"{}\"?", wanted, nearest(wanted, names)));
}

void set_config(RecorderConfig& config, const ConfigField& field, const ConfigValue& value, std::string_view where) {
  ConfigValue fitting = value;
  if (std::holds_alternative<double>(field.example) && std::holds_alternative<std::int64_t>(value)) {
    fitting = static_cast<double>(std::get<std::int64_t>(value));
  }
  if (field.key == "channel" && std::holds_alternative<std::int64_t>(value)) {
    fitting = std::to_string(std::get<std::int64_t>(value));
  }
  if (field.key == "eager" && std::holds_alternative<bool>(value)) fitting = std::get<bool>(value) ? "true" : "false";
  if (fitting.index() != field.example.index()) {
    constexpr std::string_view kKinds[] = {"true or false",
                                           "a whole number",
                                           "a number",
                                           "a text in quotes",
                                           "a list of texts in quotes",
                                           "a table of texts in quotes"};
    refuse(where, field, fmt::format("must be {}", kKinds[field.example.index()]));
  }
  if (const auto* text = std::get_if<std::string>(&fitting); text != nullptr && text->empty() && !field.may_be_empty) {
    refuse(where, field, "is empty: give it a value, or leave it out");
  }
  check(field, fitting, where);
  field.set(config, fitting);
}

ConfigValue parse_config_value(const ConfigField& field, const std::string& text) {
  if (std::holds_alternative<bool>(field.example) && (text == "true" || text == "false")) return text == "true";
  if (std::holds_alternative<std::int64_t>(field.example)) {
    if (const auto whole = number<std::int64_t>(text)) return *whole;
  } else if (std::holds_alternative<double>(field.example)) {
    if (const auto fraction = number<double>(text)) return *fraction;
  } else if (std::holds_alternative<Phrases>(field.example)) {
    boost::system::error_code error;
    const auto list = boost::json::try_value_to<Phrases>(json::parse(text, error));
    if (!error && list) return *list;
    if (text.starts_with('[') || field.key != "vocabulary") return text;
    Phrases divided;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      divided.emplace_back(trimmed(std::string_view(text).substr(at, end - at)));
      at = end + 1;
    }
    return divided;
  } else if (std::holds_alternative<Table>(field.example)) {
    boost::system::error_code error;
    const auto table = boost::json::try_value_to<Table>(json::parse(text, error));
    if (!error && table) return *table;
  }
  return text;
}

}  // namespace dictum::config

namespace dictum {

void RecorderConfig::validate() const {
  for (const auto& field : config::config_fields()) config::check(field, field.get(*this), "configuration");
  config::note_phrases(*this);
}

}  // namespace dictum
