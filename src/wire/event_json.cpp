#include "wire/event_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.hpp"

namespace dictum {
namespace {

// Names, in the order of the enumerators and of the alternatives of EventBody.

constexpr std::array kRecordingStates = {"starting", "recording", "paused", "stopping", "idle", "failed"};
constexpr std::array kVADModes = {"normal", "long_note"};
constexpr std::array kNoteCommands = {"start", "end", "cancel", "scratch", "stop", "complete"};
constexpr std::array kGapReasons = {"overflow", "device_lost", "stalled", "suspended", "paused", "disk"};
constexpr std::array kWorkerStates = {"starting", "ready", "busy", "stopped", "failed"};
constexpr std::array kDiscardReasons = {"too_short", "no_audio"};
constexpr std::array<std::string_view, 18> kEvents = {"RecordingStateChanged",
                                                      "VADModeChanged",
                                                      "SpeechDetected",
                                                      "SpeechEnded",
                                                      "TranscriptionQueued",
                                                      "TranscriptionComplete",
                                                      "NoteCommandDetected",
                                                      "NoteTitleCaptured",
                                                      "NoteCompleted",
                                                      "NoteCancelled",
                                                      "AudioGap",
                                                      "DeviceChanged",
                                                      "WorkerStatus",
                                                      "RecorderFault",
                                                      "TranscriptionLanguageChosen",
                                                      "TranscriptionPartial",
                                                      "AudioLevel",
                                                      "QueueStatus"};
static_assert(kEvents.size() == std::variant_size_v<EventBody>);

template <class E, std::size_t n>
std::string_view name_of(E value, const std::array<const char*, n>& names) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < n ? names[index] : "unknown";
}

template <class E, std::size_t n>
std::optional<E> value_of(std::string_view name, const std::array<const char*, n>& names) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    if (name == names[i]) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(RecordingState state) noexcept {
  return name_of(state, kRecordingStates);
}
std::string_view to_string(VADMode mode) noexcept {
  return name_of(mode, kVADModes);
}
std::string_view to_string(NoteCommand command) noexcept {
  return name_of(command, kNoteCommands);
}
std::string_view to_string(GapReason reason) noexcept {
  return name_of(reason, kGapReasons);
}
std::string_view to_string(WorkerState state) noexcept {
  return name_of(state, kWorkerStates);
}
std::string_view to_string(DiscardReason reason) noexcept {
  return name_of(reason, kDiscardReasons);
}

std::string_view Event::name() const noexcept {
  return body.valueless_by_exception() ? "unknown" : kEvents[body.index()];
}

bool Event::is_ephemeral() const noexcept {
  return std::holds_alternative<TranscriptionPartial>(body) || std::holds_alternative<AudioLevel>(body) ||
         std::holds_alternative<QueueStatus>(body);
}

std::string Event::to_json() const {
  return json::to_line(wire::to_json(*this));
}

namespace wire {

std::optional<RecordingState> recording_state(std::string_view name) noexcept {
  return value_of<RecordingState>(name, kRecordingStates);
}
std::optional<VADMode> vad_mode(std::string_view name) noexcept {
  return value_of<VADMode>(name, kVADModes);
}
std::optional<NoteCommand> note_command(std::string_view name) noexcept {
  return value_of<NoteCommand>(name, kNoteCommands);
}
std::optional<GapReason> gap_reason(std::string_view name) noexcept {
  return value_of<GapReason>(name, kGapReasons);
}
std::optional<WorkerState> worker_state(std::string_view name) noexcept {
  return value_of<WorkerState>(name, kWorkerStates);
}
std::optional<DiscardReason> discard_reason(std::string_view name) noexcept {
  return value_of<DiscardReason>(name, kDiscardReasons);
}

namespace {

// The fields of every event, once for both directions: `field` writes a const event's members to JSON, and reads those
// of another from it. `field.optional` is for what is left out where it is empty: earlier journals have none.

template <class E, class T>
concept Is = std::same_as<std::remove_const_t<E>, T>;

void fields(auto&& field, Is<RecordingStateChanged> auto& e) {
  field("state", e.state);
  field("is_recording", e.is_recording);
  field("is_paused", e.is_paused);
  field("is_muted", e.is_muted);
}
void fields(auto&& field, Is<VADModeChanged> auto& e) {
  field("mode", e.mode);
  field("min_silence_ms", e.min_silence_ms);
}
void fields(auto&& field, Is<SpeechDetected> auto& e) {
  field("segment_index", e.segment_index);
  field("start_frame", e.start_frame);
}
void fields(auto&& field, Is<SpeechEnded> auto& e) {
  field("segment_index", e.segment_index);
  field("duration_sec", e.duration_sec);
  field("kept", e.kept);
  field("start_frame", e.start_frame);
  field("end_frame", e.end_frame);
  field.optional("discard_reason", e.discard_reason);
}
void fields(auto&& field, Is<TranscriptionQueued> auto& e) {
  field("segment_index", e.segment_index);
  field("wav_path", e.wav_path);
}
void fields(auto&& field, Is<Word> auto& e) {
  field("text", e.text);
  field("start_frame", e.start_frame);
  field("end_frame", e.end_frame);
  field("confidence", e.confidence);
}
void fields(auto&& field, Is<DetectedPhrase> auto& e) {
  field("phrase", e.phrase);
  field("confidence", e.confidence);
  field("start_frame", e.start_frame);
  field("end_frame", e.end_frame);
}
void fields(auto&& field, Is<EventError> auto& e) {
  field("code", e.code);
  field("message", e.message);
}
void fields(auto&& field, Is<Replacement> auto& e) {
  field("written", e.written);
  field("meant", e.meant);
}
void fields(auto&& field, Is<TranscriptionComplete> auto& e) {
  field("segment_index", e.segment_index);
  field("text", e.text);
  field("success", e.success);
  field("error", e.error);
  field("processing_time_sec", e.processing_time_sec);
  field("words", e.words);
  field("no_speech_probability", e.no_speech_probability);
  field("suspect", e.suspect);
  field("revision", e.revision);
  field("phrases", e.phrases);
  field.optional("edited", e.edited);
  field.optional("suspect_reason", e.suspect_reason);
  field.optional("annotations", e.annotations);
  field.optional("engine", e.engine);
  field.optional("model", e.model);
  field.optional("language", e.language);
  field.optional("replacements", e.replacements);
}
void fields(auto&& field, Is<TranscriptionLanguageChosen> auto& e) {
  field("language", e.language);
}
void fields(auto&& field, Is<NoteCommandDetected> auto& e) {
  field("segment_index", e.segment_index);
  field("command", e.command);
}
void fields(auto&& field, Is<NoteTitleCaptured> auto& e) {
  field("segment_index", e.segment_index);
  field("title", e.title);
}
void fields(auto&& field, Is<NoteCompleted> auto& e) {
  field("title", e.title);
  field("text", e.text);
  field("segments", e.segments);
  field("path", e.path);
  field("revision", e.revision);
  field.optional("late", e.late);
}
void fields(auto&& field, Is<NoteCancelled> auto& e) {
  field("title", e.title);
  field("text", e.text);
  field("segments", e.segments);
  field("path", e.path);
}
void fields(auto&& field, Is<AudioGap> auto& e) {
  field("start_frame", e.start_frame);
  field("frames", e.frames);
  field("reason", e.reason);
}
void fields(auto&& field, Is<DeviceChanged> auto& e) {
  field("device", e.device);
  field("reason", e.reason);
}
void fields(auto&& field, Is<WorkerStatus> auto& e) {
  field("worker", e.worker);
  field("state", e.state);
  field("reason", e.reason);
  field.optional("code", e.code);
}
void fields(auto&& field, Is<RecorderFault> auto& e) {
  field("code", e.code);
  field("message", e.message);
  field("recoverable", e.recoverable);
}
void fields(auto&& field, Is<TranscriptionPartial> auto& e) {
  field("segment_index", e.segment_index);
  field("text", e.text);
  field("stable_chars", e.stable_chars);
}
void fields(auto&& field, Is<AudioLevel> auto& e) {
  field("rms_dbfs", e.rms_dbfs);
  field("peak_dbfs", e.peak_dbfs);
  field("speech_probability", e.speech_probability);
  field("silence_ms", e.silence_ms);
}
void fields(auto&& field, Is<QueueStatus> auto& e) {
  field("queued_jobs", e.queued_jobs);
  field("completed_transcriptions", e.completed_transcriptions);
  field("oldest_sec", e.oldest_sec);
}

struct AnyField {
  void operator()(const char*, auto&) const {}
  void optional(const char*, auto&) const {}
};
template <class T>
concept Composite = requires(T& value) { fields(AnyField(), value); };

// Writing.

template <class T>
boost::json::value written(const T& value);
template <class T>
boost::json::value written(const std::optional<T>& value);
template <class T>
boost::json::value written(const std::vector<T>& values);

class FieldWriter {
 public:
  explicit FieldWriter(boost::json::object& object) : object_(object) {}

  template <class T>
  void operator()(const char* key, const T& value) const {
    object_.emplace(key, written(value));
  }
  template <class T>
  void optional(const char* key, const T& value) const {
    if (value != T{}) (*this)(key, value);
  }

 private:
  boost::json::object& object_;
};

template <class T>
boost::json::value written(const std::optional<T>& value) {
  return value ? written(*value) : boost::json::value(nullptr);
}

template <class T>
boost::json::value written(const std::vector<T>& values) {
  boost::json::array array;
  array.reserve(values.size());
  for (const T& value : values) array.push_back(written(value));
  return array;
}

template <class T>
boost::json::value written(const T& value) {
  if constexpr (Composite<const T>) {
    boost::json::object object;
    fields(FieldWriter(object), value);
    return object;
  } else if constexpr (std::is_enum_v<T>) {
    return boost::json::string(to_string(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return boost::json::string(value);
  } else {
    return boost::json::value(value);
  }
}

// Reading. `where` is the way to the value, for messages.

[[noreturn]] void refuse(std::string_view where, std::string_view expected) {
  throw RecorderError(Errc::session_unreadable, fmt::format("\"{}\" is not {}", where, expected));
}

template <std::integral T>
void read(const boost::json::value& from, T& to, std::string_view where) {
  boost::system::error_code error;
  to = from.to_number<T>(error);
  if (error)
    refuse(where,
           fmt::format("a whole number from {} to {}", std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

void read(const boost::json::value& from, bool& to, std::string_view where) {
  const bool* value = from.if_bool();
  if (value == nullptr) refuse(where, "true or false");
  to = *value;
}

void read(const boost::json::value& from, double& to, std::string_view where) {
  if (from.is_null()) {  // what the writer makes of a number that is not finite
    to = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  boost::system::error_code error;
  to = from.to_number<double>(error);
  if (error) refuse(where, "a number");
}

void read(const boost::json::value& from, std::string& to, std::string_view where) {
  const boost::json::string* value = from.if_string();
  if (value == nullptr) refuse(where, "a string");
  to.assign(value->data(), value->size());
}

template <class E>
void read_name(const boost::json::value& from, E& to, std::string_view where,
               std::optional<E> (*named)(std::string_view) noexcept, std::string_view kind) {
  std::string name;
  read(from, name, where);
  const std::optional<E> value = named(name);
  if (!value) refuse(where, kind);
  to = *value;
}

void read(const boost::json::value& from, RecordingState& to, std::string_view where) {
  read_name(from, to, where, recording_state, "a recording state");
}
void read(const boost::json::value& from, VADMode& to, std::string_view where) {
  read_name(from, to, where, vad_mode, "a VAD mode");
}
void read(const boost::json::value& from, NoteCommand& to, std::string_view where) {
  read_name(from, to, where, note_command, "a note command");
}
void read(const boost::json::value& from, GapReason& to, std::string_view where) {
  read_name(from, to, where, gap_reason, "a gap's reason");
}
void read(const boost::json::value& from, WorkerState& to, std::string_view where) {
  read_name(from, to, where, worker_state, "a worker's state");
}
void read(const boost::json::value& from, DiscardReason& to, std::string_view where) {
  read_name(from, to, where, discard_reason, "a reason to discard a segment");
}

class FieldReader {
 public:
  FieldReader(const boost::json::object& object, std::string_view where) : object_(object), where_(where) {}

  template <class T>
  void operator()(const char* key, T& value) const;
  template <class T>
  void optional(const char* key, T& value) const {
    if (object_.contains(key)) (*this)(key, value);
  }

 private:
  const boost::json::object& object_;
  std::string_view where_;
};

template <class T>
  requires Composite<T>
void read(const boost::json::value& from, T& to, std::string_view where) {
  const boost::json::object* object = from.if_object();
  if (object == nullptr) refuse(where, "an object");
  fields(FieldReader(*object, where), to);
}

template <class T>
void read(const boost::json::value& from, std::optional<T>& to, std::string_view where) {
  if (from.is_null()) {
    to.reset();
  } else {
    read(from, to.emplace(), where);
  }
}

template <class T>
void read(const boost::json::value& from, std::vector<T>& to, std::string_view where) {
  const boost::json::array* array = from.if_array();
  if (array == nullptr) refuse(where, "a list");
  to.resize(array->size());
  for (std::size_t i = 0; i < to.size(); ++i) read((*array)[i], to[i], fmt::format("{}[{}]", where, i));
}

template <class T>
void FieldReader::operator()(const char* key, T& value) const {
  const std::string where = where_.empty() ? key : fmt::format("{}.{}", where_, key);
  const boost::json::value* found = object_.if_contains(key);
  if (found == nullptr) throw RecorderError(Errc::session_unreadable, fmt::format("\"{}\" is missing", where));
  read(*found, value, where);
}

template <std::size_t... index>
EventBody empty_body(std::size_t wanted, std::index_sequence<index...>) {
  EventBody body;
  ((index == wanted ? (void)body.emplace<index>() : void()), ...);
  return body;
}

}  // namespace

UnknownEvent::UnknownEvent(std::string name, std::optional<std::uint64_t> sequence)
    : RecorderError(Errc::session_unreadable, fmt::format("\"{}\" is no event of this version of Dictum", name)),
      name_(std::move(name)),
      sequence_(sequence) {}

boost::json::object to_json(const Event& event) {
  boost::json::object object;
  const FieldWriter field(object);
  object.emplace("event", event.name());
  field("session", event.session);
  if (event.sequence) field("sequence", *event.sequence);
  field("timestamp", event.timestamp);
  field("frame", event.frame);
  std::visit([&](const auto& body) { fields(field, body); }, event.body);
  return object;
}

Event parse_event(std::string_view line) {
  boost::system::error_code error;
  const boost::json::value value = json::parse(line, error);
  if (error) throw RecorderError(Errc::session_unreadable, fmt::format("not an event: {}", error.message()));
  const boost::json::object* object = value.if_object();
  if (object == nullptr) throw RecorderError(Errc::session_unreadable, "not an event: not a JSON object");

  Event event;
  std::string name;
  const FieldReader field(*object, "");
  field("event", name);
  field("session", event.session);
  field("timestamp", event.timestamp);
  field("frame", event.frame);
  if (object->contains("sequence")) field("sequence", event.sequence.emplace());

  const auto* const found = std::find(kEvents.begin(), kEvents.end(), name);
  if (found == kEvents.end()) throw UnknownEvent(std::move(name), event.sequence);
  event.body =
      empty_body(static_cast<std::size_t>(found - kEvents.begin()), std::make_index_sequence<kEvents.size()>());
  if (event.is_ephemeral() == event.sequence.has_value()) {
    throw RecorderError(Errc::session_unreadable,
                        fmt::format("a {} {} a \"sequence\"", name, event.sequence ? "never has" : "needs"));
  }
  std::visit([&](auto& body) { fields(field, body); }, event.body);
  return event;
}

}  // namespace wire
}  // namespace dictum
