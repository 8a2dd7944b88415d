#include "server/session_json.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <optional>
#include <string_view>

#include "dictum/text.hpp"

namespace dictum::server {
namespace {

namespace json = boost::json;

json::value to_value(const std::optional<std::chrono::system_clock::time_point>& time) {
  return time ? json::value(iso_time(*time)) : json::value(nullptr);
}

std::string_view name_of(SegmentState state) {
  constexpr std::array<std::string_view, 5> kNames = {"recording", "queued", "done", "failed", "skipped"};
  return kNames.at(static_cast<std::size_t>(state));
}

}  // namespace

json::object to_json(const SessionEntry& entry) {
  return {{"session", entry.name},
          {"started_at", to_value(entry.started_at)},
          {"duration_sec", entry.duration_sec},
          {"segments", entry.segments},
          {"notes", entry.notes},
          {"first_text", entry.first_text},
          {"is_open", entry.is_open},
          {"is_finished", entry.is_finished},
          {"is_readable", entry.is_readable},
          {"problem", entry.problem.empty() ? json::value(nullptr) : json::value(entry.problem)}};
}

json::object to_json(const SessionNote& note) {
  return {{"title", note.title},
          {"text", note.text},
          {"segments", json::value_from(note.segments)},
          {"said_at", iso_time(note.said_at)}};
}

json::object to_json(const SessionMatch& match) {
  json::array marks;
  for (const auto& mark : match.marks) marks.push_back({{"begin", mark.begin}, {"size", mark.size}});
  const bool is_note = !match.note_path.empty();
  return {{"session", match.session.filename().string()},
          {"segment_index", match.segment_index},
          {"note_title", is_note ? json::value(match.note_title) : json::value(nullptr)},
          {"text", match.text},
          {"marks", std::move(marks)},
          {"start_frame", match.start_frame},
          {"end_frame", match.end_frame},
          {"sample_rate", match.sample_rate},
          {"said_at", iso_time(match.said_at)}};
}

json::object to_json(const TranscriptSegment& segment, const SessionTranscript& session) {
  json::value error = nullptr;
  if (segment.error) error = {{"code", segment.error->code}, {"message", segment.error->message}};
  return {{"index", segment.index},
          {"start_frame", segment.start_frame},
          {"end_frame", segment.end_frame},
          {"speech_start_frame", segment.speech_start_frame},
          {"speech_end_frame", segment.speech_end_frame},
          {"mode", to_string(segment.mode)},
          {"status", name_of(segment.state)},
          {"text", segment.text},
          {"revision", segment.revision},
          {"edited", segment.edited},
          {"error", std::move(error)},
          {"audio", fmt::format("/api/v1/sessions/{}/segments/{}/audio", session.name, segment.index)}};
}

}  // namespace dictum::server
