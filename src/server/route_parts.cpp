#include "server/route_parts.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "journal/session_directory.hpp"
#include "server/session_json.hpp"

namespace dictum::server {

namespace fs = std::filesystem;

Response json_response(const boost::json::value& value) {
  return {.content_type = kJSON, .body = json::to_line(value) + "\n", .headers = {}};
}

fs::path session_of(const Library& library, const std::string& name) {
  const fs::path path = library.root / name;
  std::error_code ignored;
  if (!journal::is_session_name(name) || !fs::is_directory(fs::symlink_status(path, ignored))) {
    throw RecorderError(Errc::input_not_found,
                        fmt::format("There is no session \"{}\": GET /api/v1/sessions lists them.", name));
  }
  return path;
}

fs::path session_of(const Library& library, const Call& call) {
  return session_of(library, call.text("session"));
}

boost::json::object body_of(const Call& call, std::string_view what) {
  if (call.request->body.empty()) return {};
  boost::system::error_code error;
  boost::json::value body = json::parse(call.request->body, error);
  if (error || !body.is_object()) {
    throw RecorderError(Errc::invalid_argument, fmt::format("The body has to be a JSON object with {}.", what));
  }
  return std::move(body.as_object());
}

Parameter session_parameter() {
  return {.name = "session",
          .in = Parameter::In::path,
          .type = Parameter::Type::session,
          .about = "The session's name.",
          .is_required = true};
}

Parameter query(std::string name, Parameter::Type type, std::string about) {
  return {.name = std::move(name), .in = Parameter::In::query, .type = type, .about = std::move(about)};
}

Parameter header(std::string name, std::string about) {
  return {
      .name = std::move(name), .in = Parameter::In::header, .type = Parameter::Type::text, .about = std::move(about)};
}

Parameter number(std::string name, Parameter::In in, std::uint64_t min, std::uint64_t max, std::string about) {
  return {.name = std::move(name),
          .in = in,
          .type = Parameter::Type::number,
          .about = std::move(about),
          .is_required = in == Parameter::In::path,
          .min = min,
          .max = max};
}

Parameter choice(std::string name, std::vector<std::string> choices, std::string about) {
  return {.name = std::move(name),
          .in = Parameter::In::query,
          .type = Parameter::Type::choice,
          .about = std::move(about),
          .choices = std::move(choices)};
}

Response session_response(const fs::path& path) {
  boost::json::object shown = to_json(session_entry(path));
  const SessionTranscript transcript = open_session(path);
  shown["stopped_at"] =
      transcript.stopped_at ? boost::json::value(iso_time(*transcript.stopped_at)) : boost::json::value(nullptr);
  shown["sample_rate"] = transcript.sample_rate;
  shown["end_frame"] = transcript.end_frame;
  shown["source"] = transcript.source;
  boost::json::array segments;
  for (const TranscriptSegment& segment : transcript.segments) segments.push_back(to_json(segment, transcript));
  shown["segments"] = std::move(segments);
  return json_response(shown);
}

}  // namespace dictum::server
