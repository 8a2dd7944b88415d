#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "output.hpp"
#include "session/exporter.hpp"
#include "session/library.hpp"
#include "sessions_verbs.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;
using session::Manifest;
using session::SegmentStatus;

struct Options {
  std::string session;
  std::optional<int> revision;
  bool json = false;
};

ExitCode show(const fs::path& path, std::optional<int> revision, bool as_json) {
  const auto problems = session::problems_of(path);
  const auto listed = session::look_at_session(path);
  if (!listed.manifest) throw RecorderError(Errc::session_unreadable, listed.problem);
  const session::Script script = session::read_script(path, revision);
  const Manifest& manifest = script.manifest;
  if (as_json) {
    boost::system::error_code ignored;
    boost::json::value json = json::parse(session::export_text(script, session::TextFormat::json), ignored);
    boost::json::array all;
    for (const auto& problem : problems) all.emplace_back(problem);
    json.as_object()["path"] = listed.path.string();
    json.as_object()["is_open"] = listed.is_open;
    json.as_object()["problems"] = std::move(all);
    print_json(json::to_line(json));
    return ExitCode::success;
  }
  print("{}\n{}, {} long, from {}{}\n", listed.path.string(), minute_text(manifest.started_at),
        position_text(manifest.seconds(manifest.end_frame)), utf8::on_one_line(manifest.source),
        listed.is_open        ? " (open)"
        : manifest.stopped_at ? ""
                              : " (interrupted: dictum resume finishes it)");
  for (const auto& problem : problems) print("!! {}\n", utf8::on_one_line(problem));
  for (const auto& note : manifest.notes) {
    print("note \"{}\": {}\n", utf8::on_one_line(note.title), utf8::on_one_line(note.path));
  }
  for (const auto& segment : manifest.segments) {
    if (!segment.is_kept()) continue;
    std::string text = utf8::on_one_line(segment.text);
    if (segment.status != SegmentStatus::done) {
      text = fmt::format("[no text: {}]",
                         segment.error ? utf8::on_one_line(segment.error->message) : to_string(segment.status));
    }
    print("{:>9}  [{}] {}{}\n", position_text(manifest.seconds(segment.speech_start_frame)), segment.index, text,
          segment.revision > 0 ? fmt::format("  (revision {})", segment.revision) : "");
  }
  return ExitCode::success;
}

}  // namespace

void add_show_verb(CLI::App& sessions, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_verb<Options>(sessions, code, "show", "Show what was said in a session, and whether all of it is there",
                        options, [](const fs::path& root, Options& given) {
                          return show(find_session(root, given.session), given.revision, given.json);
                        });
  command->add_option("SESSION", options->session, kSessionHelp)->required();
  command->add_option("--revision", options->revision, "the texts as they were then; 0 is the first")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", options->json, "print one JSON document");
}

}  // namespace dictum::program
