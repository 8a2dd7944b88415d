#include "search.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "output.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

double seconds(const SessionMatch& hit, Frame frame) {
  return static_cast<double>(frame) / std::max(hit.sample_rate, 1);
}

boost::json::object to_json(const SessionMatch& hit) {
  boost::json::array marks;
  for (const auto& mark : hit.marks) marks.push_back(boost::json::object{{"begin", mark.begin}, {"size", mark.size}});
  boost::json::object json{{"session", hit.session.filename().string()},
                           {"path", hit.session.string()},
                           {"segment_index", hit.segment_index},
                           {"start_frame", hit.start_frame},
                           {"end_frame", hit.end_frame},
                           {"start_sec", seconds(hit, hit.start_frame)},
                           {"said_at", iso_time(hit.said_at)},
                           {"text", hit.text},
                           {"marks", std::move(marks)}};
  if (!hit.note_path.empty()) {
    json["note_title"] = hit.note_title;
    json["note_path"] = (hit.session / hit.note_path).string();
  }
  return json;
}

/// What stands around the first mark, with the marks shown; a whole text where it is short.
std::string excerpt(const SessionMatch& hit, bool is_terminal) {
  constexpr std::size_t kMaxBytes = 160;
  constexpr std::size_t kBefore = 40;
  const std::string& text = hit.text;
  const std::size_t first = hit.marks.empty() ? 0 : hit.marks.front().begin;
  std::size_t begin = text.size() <= kMaxBytes || first <= kBefore ? 0 : text.find(' ', first - kBefore);
  begin = std::min(begin == 0 ? 0 : begin + 1, first);
  std::size_t end = text.size() - begin <= kMaxBytes ? text.size() : text.rfind(' ', begin + kMaxBytes);
  if (end == std::string::npos || end <= begin) end = text.size();
  const std::string_view on = is_terminal ? "\x1b[1m" : "[";
  const std::string_view off = is_terminal ? "\x1b[0m" : "]";
  std::string out = begin > 0 ? "... " : "";
  std::size_t at = begin;
  for (const auto& mark : hit.marks) {
    if (mark.begin < at || mark.begin + mark.size > end) continue;
    out += on_one_line(text.substr(at, mark.begin - at));
    out += on;
    out += on_one_line(text.substr(mark.begin, mark.size));
    out += off;
    at = mark.begin + mark.size;
  }
  out += on_one_line(text.substr(at, end - at));
  return out + (end < text.size() ? " ..." : "");
}

}  // namespace

void SearchOptions::add_to(CLI::App& command) {
  command.add_option("WORDS", words,
                     "words that must all be there; 'trans*' is a beginning, '\"new note\"' in double quotes a phrase; "
                     "none: everything within the dates");
  command.add_option("--from", from, "said on this local day or later; a day, a moment, or how long ago (90d, 12h)");
  auto* last_day = command.add_option("--to", to, "said on this local day or earlier");
  command.add_option("--before", before, "said before this local day")->excludes(last_day);
  command.add_option("--session", session, "only in this session");
  command.add_option("--limit", limit, "show so many at most")->check(CLI::Range(1, 1'000'000));
  command.add_flag("--json", json, "print one JSON document");
}

ExitCode search(const std::filesystem::path& root, const SearchOptions& options, SessionSearch::Scope scope) {
  const auto now = std::chrono::system_clock::now();
  SessionSearch query;
  query.text = fmt::format("{}", fmt::join(options.words, " "));
  query.scope = scope;
  if (!options.from.empty()) query.from = parse_moment(options.from, "--from", now);
  if (!options.to.empty()) query.before = parse_end(options.to, "--to", now);
  if (!options.before.empty()) query.before = parse_moment(options.before, "--before", now);
  if (!options.session.empty()) query.session = find_session(root, options.session).filename();
  query.limit = options.limit;

  const auto hits = search_sessions(root, query);
  if (options.json) {
    boost::json::array all;
    for (const SessionMatch& hit : hits) all.push_back(to_json(hit));
    print_json(all);
    return hits.empty() ? ExitCode::failure : ExitCode::success;
  }
  const bool is_terminal = isatty(STDOUT_FILENO) != 0;
  for (const SessionMatch& hit : hits) {
    const std::string what =
        hit.note_path.empty() ? fmt::format("[{}]", hit.segment_index) : fmt::format("note \"{}\":", hit.note_title);
    print("{}  {:>9}  {} {}\n", hit.session.filename().string(), position_text(seconds(hit, hit.start_frame)), what,
          Styled{excerpt(hit, is_terminal)});
  }
  if (hits.empty()) print_error("nothing was found in {}", root.string());
  return hits.empty() ? ExitCode::failure : ExitCode::success;
}

}  // namespace dictum::program
