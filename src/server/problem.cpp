#include "server/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "base/json.hpp"
#include "base/outcome.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::server {
namespace {

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::config_invalid:
      return 400;
    case Errc::input_not_found:
      return 404;
    case Errc::invalid_state:
    case Errc::session_locked:
    case Errc::device_ambiguous:
    case Errc::cancelled:
    case Errc::session_unreadable:  // it is damaged, say: what is asked does not fit the state that it has
      return 409;
    case Errc::device_busy:
    case Errc::device_lost:
    case Errc::model_missing:
    case Errc::transcriber_missing:
      return 503;
    case Errc::timed_out:
    case Errc::deadline_exceeded:
      return 504;
    case Errc::disk_full:
      return 507;
    case Errc::resource_deadlock_would_occur:
    case Errc::input_unreadable:
    case Errc::output_unwritable:
    case Errc::transcription_failed:
    case Errc::worker_died:
    case Errc::worker_protocol:
    case Errc::quarantined:
    case Errc::internal:
      return 500;
  }
  return 500;
}

constexpr const char* kRetryAfter = "5";  // seconds

/// In a header, which has only ASCII.
std::string in_ascii(std::string_view text) {
  std::string ascii;
  for (const char c : utf8::on_one_line(text)) {
    if (c >= ' ' && c < '\x7f') ascii += c;
  }
  return ascii;
}

}  // namespace

const char* reason(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "Internal Server Error";
  }
}

Response problem(int status, std::string_view code, std::string_view detail) {
  const boost::json::object body{{"type", fmt::format("urn:dictum:problem:{}", code)},
                                 {"title", reason(status)},
                                 {"status", status},
                                 {"detail", detail},
                                 {"code", code}};
  Response made{.status = status, .content_type = kProblemType, .body = json::to_line(body) + "\n", .headers = {}};
  if (status == 429 || status == 503) made.with("Retry-After", kRetryAfter);
  return made;
}

Response problem(const std::error_code& code, std::string_view detail) {
  if (code.category() != recorder_category()) return problem(500, to_string(Errc::internal), detail);
  const auto known = static_cast<Errc>(code.value());
  return problem(status_of(known), to_string(known), detail);
}

Response stopping_problem() {
  return problem(503, "stopping", "The server is stopping: try again once it has been started again.");
}

void add_warnings(Response& response, const std::vector<std::string>& warnings) {
  constexpr std::size_t kMaxWarnings = 20;  // clients bound the header
  const std::size_t shown = std::min(warnings.size(), kMaxWarnings);
  for (std::size_t i = 0; i < shown; ++i) response.with("Dictum-Warning", in_ascii(warnings[i]));
  if (shown < warnings.size()) response.with("Dictum-Warning", fmt::format("And {} more.", warnings.size() - shown));
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kMaxBytes = 100;
  return utf8::on_one_line(text.substr(0, kMaxBytes));
}

Response problem_of_current_exception() {
  const detail::Outcome outcome = outcome_of_current_exception();
  return problem(outcome.code, outcome.sentence);
}

}  // namespace dictum::server
