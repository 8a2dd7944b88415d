#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "output.hpp"
#include "sessions_verbs.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;
boost::json::object to_json(const SessionEntry& entry) {
  boost::json::object json{{"session", entry.name}, {"path", entry.path.string()}, {"is_open", entry.is_open}};
  json["started_at"] = entry.started_at ? boost::json::value(iso_time(*entry.started_at)) : nullptr;
  if (entry.is_readable) {
    json["finished"] = entry.is_finished;
    json["duration_sec"] = entry.duration_sec;
    json["segments"] = entry.segments;
    json["notes"] = entry.notes;
    json["text"] = entry.first_text;
  }
  json["problem"] = entry.problem.empty() ? boost::json::value(nullptr) : boost::json::value(entry.problem);
  return json;
}

ExitCode list(const fs::path& root, bool as_json) {
  const auto sessions = list_sessions(root);
  if (as_json) {
    boost::json::array all;
    for (const SessionEntry& entry : sessions) all.push_back(to_json(entry));
    print_json(all);
    return ExitCode::success;
  }
  for (const SessionEntry& entry : sessions) {
    print("{:<18} {:<23}", entry.name, entry.started_at ? minute_text(*entry.started_at) : "");
    if (entry.is_readable) {
      constexpr std::size_t kMaxText = 60;
      std::string text = entry.first_text;
      if (text.size() > kMaxText) text.resize(std::min(text.find(' ', kMaxText), text.size()));
      print(" {:>9}  {:>4} {:8} {:>3} {:5}  {}", position_text(entry.duration_sec), entry.segments,
            entry.segments == 1 ? "segment" : "segments", entry.notes, entry.notes == 1 ? "note" : "notes",
            entry.is_open ? "(open) " + text : text);
    }
    print("\n");
    if (!entry.problem.empty()) print("  !! {}\n", entry.problem);
  }
  if (sessions.empty()) print("There are no sessions in {}.\n", root.string());
  return ExitCode::success;
}

}  // namespace

void add_list_verb(CLI::App& sessions, ExitCode& code) {
  auto as_json = std::make_shared<bool>();
  add_verb<bool>(sessions, code, "list", "List every session, the oldest first, with what is wrong with it", as_json,
                 [](const fs::path& root, bool& json) { return list(root, json); })
      ->add_flag("--json", *as_json, "print one JSON document");
}

}  // namespace dictum::program
