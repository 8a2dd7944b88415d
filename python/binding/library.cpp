#include "library.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <string_view>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"

namespace dictum::python {
namespace {

using Moment = std::chrono::system_clock::time_point;

boost::json::object describe(const SessionEntry& listed) {
  return {
      {"path", listed.path.string()}, {"name", listed.name}, {"problem", listed.problem}, {"is_open", listed.is_open}};
}

std::optional<Moment> moment(std::optional<double> seconds) {
  if (!seconds) return std::nullopt;
  constexpr double kFarthest = 9e9;  // in 2255; nanoseconds count no farther than 2262, and Python's dates do
  return Moment(std::chrono::duration_cast<Moment::duration>(
      std::chrono::duration<double>(std::clamp(*seconds, -kFarthest, kFarthest))));
}

SessionSearch::Scope scope_of(std::string_view name) {
  using Scope = SessionSearch::Scope;
  if (name == "everything") return Scope::everything;
  if (name == "segments") return Scope::segments;
  if (name == "notes") return Scope::notes;
  throw RecorderError(Errc::invalid_argument, "The scope of a search is \"everything\", \"segments\" or \"notes\".");
}

/// Python counts characters where the index counts bytes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

boost::json::object describe(const SessionMatch& hit) {
  boost::json::array marks;
  const std::string_view text = hit.text;
  for (const auto& mark : hit.marks) {
    marks.push_back(
        boost::json::array{characters(text.substr(0, mark.begin)), characters(text.substr(0, mark.begin + mark.size))});
  }
  return {{"session", hit.session.string()},
          {"text", hit.text},
          {"marks", std::move(marks)},
          {"note_title", hit.note_title},
          {"note_path", hit.note_path},
          {"segment_index", hit.segment_index},
          {"start_frame", hit.start_frame},
          {"end_frame", hit.end_frame},
          {"sample_rate", hit.sample_rate},
          {"said_at", std::chrono::duration<double>(hit.said_at.time_since_epoch()).count()}};
}

}  // namespace

std::string list_sessions(const std::filesystem::path& root) {
  boost::json::array all;
  for (const auto& listed : dictum::list_sessions(root)) all.push_back(describe(listed));
  return json::to_line(all);
}

std::string find_session(const std::filesystem::path& root, const std::string& what) {
  return json::to_line(describe(session_entry(dictum::find_session(root, what))));
}

std::string search(const std::filesystem::path& root, const std::string& text, const std::string& scope,
                   std::optional<double> since, std::optional<double> before, const std::string& session,
                   std::int64_t limit) {
  if (limit < 0) throw RecorderError(Errc::invalid_argument, "The limit of a search is a number of hits, from 0 on.");
  const SessionSearch query{.text = text,
                            .scope = scope_of(scope),
                            .from = moment(since),
                            .before = moment(before),
                            .session = session,
                            .limit = static_cast<std::size_t>(limit)};
  boost::json::array hits;
  for (const auto& hit : search_sessions(root, query)) hits.push_back(describe(hit));
  return json::to_line(hits);
}

}  // namespace dictum::python
