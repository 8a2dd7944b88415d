#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dictum/config.hpp"
#include "server/response.hpp"
#include "server/transcription_form.hpp"

/// What a client of OpenAI's Realtime API says in a session of transcription, and how it is answered. Any thread; no
/// state.
namespace dictum::server {

/// How a client wants its audio to be transcribed.
struct RealtimeSettings {
  enum class Format { pcm16, pcmu, pcma };
  struct TurnDetection {
    double threshold{};
    int prefix_padding_ms{};
    int silence_duration_ms{};
    bool operator==(const TurnDetection&) const = default;
  };

  Format format = Format::pcm16;
  std::string model;
  std::string language;                         ///< empty: as configured
  std::string prompt;                           ///< as the client gave it
  std::vector<std::string> keywords;            ///< the same
  std::optional<TurnDetection> turn_detection;  ///< empty: the client commits
  bool operator==(const RealtimeSettings&) const = default;

  /// Of the audio that the client sends.
  int sample_rate() const { return format == Format::pcm16 ? 24'000 : 8'000; }
};

/// What a server begins with: the configured detector.
RealtimeSettings default_realtime_settings(const RecorderConfig& config);

/// Changes a recorder's configuration as the client wants it.
void adapt(RecorderConfig& config, const RealtimeSettings& settings);

/// What a client asks for.
struct RealtimeUpdate {
  bool is_beta = false;  ///< in the shape of the API's beta: `transcription_session.update`
  boost::json::object session;
};
struct RealtimeAppend {
  std::string audio;  ///< decoded from base64
};
struct RealtimeCommit {};
struct RealtimeClear {};
using RealtimeCommand = std::variant<RealtimeUpdate, RealtimeAppend, RealtimeCommit, RealtimeClear>;

/// Reads a message, which may be anything. `event_id` becomes the id that the client gave it, also where it is wrong.
/// Throws FieldError.
RealtimeCommand parse_realtime_message(std::string_view text, std::string& event_id);

/// Throws FieldError for what is wrong, unknown or not supported; nothing is changed then.
void update_settings(RealtimeSettings& settings, const RealtimeUpdate& update,
                     const std::function<bool(std::string_view)>& is_model);

/// Bytes of base64 (RFC 4648, with its padding); empty where the text is something else.
std::optional<std::string> decode_base64(std::string_view text);

/// Bytes of audio in one message, at most: as OpenAI's own service.
inline constexpr std::size_t kMaxRealtimeAudio = std::size_t{15} << 20;

/// The samples of a piece of audio. Throws FieldError where it ends in the middle of one.
std::vector<float> decode_realtime_audio(RealtimeSettings::Format format, std::string_view bytes);

/// The session as the server describes it.
boost::json::object session_json(const RealtimeSettings& settings, const std::string& id, bool is_beta);

/// The event for a failure. `event_id` is the client's message that led to it; empty where none did.
boost::json::object realtime_error(const Response& problem, std::string_view event_id);

}  // namespace dictum::server
