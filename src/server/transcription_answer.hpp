#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/sessions.hpp"
#include "server/response.hpp"
#include "server/transcription_form.hpp"

/// What a client of the OpenAI-compatible API is answered. Any thread; no state.
namespace dictum::server {

/// A sound file, transcribed.
struct TranscriptionResult {
  SessionTranscript transcript;
  std::string subtitles;              ///< where the format is srt or vtt
  std::string language;               ///< BCP 47; empty where nobody knows
  std::vector<std::string> warnings;  ///< sentences: the file is damaged, say

  /// What was said, the segments separated by a space.
  std::string text() const;
};

/// The answer in the format of the request.
Response answer_of(const TranscriptionRequest& request, const TranscriptionResult& result);

/// Events of a stream: a further piece of the text, its end, and why it ends too early.
std::string delta_event(std::string_view text);
std::string done_event(const TranscriptionResult& result);
std::string error_event(const Response& problem);

/// A problem as clients of OpenAI read it: "message", "type", "param" and "code".
boost::json::object openai_error(const Response& problem);

/// A problem as clients of OpenAI read it in an answer: with a member "error" beside those of
/// RFC 9457. What is no problem stays as it is.
Response with_openai_error(Response response);

/// The problem for a field that is wrong; `param` names it.
Response problem_of_field(std::string_view field, std::string_view sentence);

/// Whether a request is for the OpenAI-compatible API.
bool is_openai_target(std::string_view target) noexcept;

}  // namespace dictum::server
