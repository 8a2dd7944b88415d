#include "server/transcription_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>
#include <utility>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "server/problem.hpp"

namespace dictum::server {
namespace {

using Format = TranscriptionRequest::Format;

boost::json::object usage_of(const SessionTranscript& transcript) {
  return {{"type", "duration"}, {"seconds", transcript.seconds(transcript.end_frame)}};
}

/// What no engine of ours reports is a placeholder, which the documentation names: typed clients need numbers.
boost::json::object segment_of(const TranscriptSegment& segment, std::size_t id, const SessionTranscript& transcript) {
  return {{"id", id},
          {"seek", 0},
          {"start", transcript.seconds(segment.speech_start_frame)},
          {"end", transcript.seconds(segment.speech_end_frame)},
          {"text", segment.text},
          {"tokens", boost::json::array()},
          {"temperature", 0.0},
          {"avg_logprob", 0.0},
          {"compression_ratio", 1.0},
          {"no_speech_prob", 0.0}};
}

boost::json::object verbose_json(const TranscriptionRequest& request, const TranscriptionResult& result) {
  const SessionTranscript& transcript = result.transcript;
  boost::json::array segments;
  boost::json::array words;
  for (const TranscriptSegment& segment : transcript.segments) {
    if (segment.text.empty()) continue;
    segments.push_back(segment_of(segment, segments.size(), transcript));
    for (const Word& word : segment.words) {
      words.push_back({{"word", word.text},
                       {"start", transcript.seconds(word.start_frame)},
                       {"end", transcript.seconds(word.end_frame)}});
    }
  }
  boost::json::object shown{{"task", "transcribe"},
                            {"language", result.language.empty() ? request.language : result.language},
                            {"duration", transcript.seconds(transcript.end_frame)},
                            {"text", result.text()}};
  if (request.has_segments) shown["segments"] = std::move(segments);
  if (request.has_words) shown["words"] = std::move(words);
  return shown;
}

std::string event_of(const boost::json::object& data) {
  return "data: " + json::to_line(data) + "\n\n";
}

std::string_view error_type(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/// The members of a problem; empty where the response is none.
boost::json::object members_of(const Response& response) {
  boost::system::error_code error;
  const auto* const body = std::get_if<std::string>(&response.body);
  if (response.content_type != kProblemType || body == nullptr) return {};
  boost::json::value problem = json::parse(*body, error);
  return error || !problem.is_object() ? boost::json::object() : std::move(problem.as_object());
}

}  // namespace

std::string TranscriptionResult::text() const {
  std::string text;
  for (const TranscriptSegment& segment : transcript.segments) {
    if (segment.text.empty()) continue;
    if (!text.empty()) text += ' ';
    text += segment.text;
  }
  return text;
}

Response answer_of(const TranscriptionRequest& request, const TranscriptionResult& result) {
  Response response{.content_type = content_type_of(request.format), .body = {}, .headers = {}};
  boost::json::object shown;
  switch (request.format) {
    case Format::text:
      response.body = result.text() + "\n";
      break;
    case Format::srt:
    case Format::vtt:
      response.body = result.subtitles;
      break;
    case Format::json:
      shown["text"] = result.text();
      break;
    case Format::verbose_json:
      shown = verbose_json(request, result);
      break;
  }
  if (!shown.empty()) {
    shown["usage"] = usage_of(result.transcript);
    if (!result.warnings.empty()) shown["warnings"] = boost::json::value_from(result.warnings);
    response.body = json::to_line(shown) + "\n";
  }
  add_warnings(response, result.warnings);
  return response;
}

std::string delta_event(std::string_view text) {
  return event_of({{"type", "transcript.text.delta"}, {"delta", text}});
}

std::string done_event(const TranscriptionResult& result) {
  boost::json::object done{{"type", "transcript.text.done"}, {"text", result.text()}};
  if (!result.warnings.empty()) done["warnings"] = boost::json::value_from(result.warnings);
  return event_of(done);
}

std::string error_event(const Response& problem) {
  return event_of({{"type", "error"}, {"error", openai_error(problem)}});
}

boost::json::object openai_error(const Response& problem) {
  const boost::json::object members = members_of(problem);
  const auto member = [&](const char* name) {
    const boost::json::value* const found = members.if_contains(name);
    return found == nullptr ? boost::json::value(nullptr) : *found;
  };
  return {{"message", member("detail")},
          {"type", error_type(problem.status)},
          {"param", member("param")},
          {"code", member("code")}};
}

Response with_openai_error(Response response) {
  boost::json::object members = members_of(response);
  if (members.empty()) return response;
  boost::json::object error = openai_error(response);
  members["error"] = std::move(error);
  response.body = json::to_line(members) + "\n";
  return response;
}

Response problem_of_field(std::string_view field, std::string_view sentence) {
  Response response = problem(400, to_string(Errc::invalid_argument), sentence);
  boost::json::object members = members_of(response);
  members["param"] = field;
  response.body = json::to_line(members) + "\n";
  return response;
}

bool is_openai_target(std::string_view target) noexcept {
  return target.starts_with("/v1/");
}

}  // namespace dictum::server
