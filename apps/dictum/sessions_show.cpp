#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "dictum/sessions.hpp"
#include "output.hpp"
#include "sessions_verbs.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string session;
  std::optional<int> revision;
  bool json = false;
};

ExitCode show(const fs::path& path, std::optional<int> revision, bool as_json) {
  const SessionCheck check = verify_session(path);
  const std::vector<std::string> problems = check.sentences();
  if (as_json) {
    boost::system::error_code ignored;
    boost::json::value json = json::parse(export_text(path, ExportFormat::json, revision), ignored);
    json.as_object()["path"] = check.path.string();
    json.as_object()["is_open"] = check.is_open;
    json.as_object()["problems"] = boost::json::array(problems.begin(), problems.end());
    print_json(json);
    return ExitCode::success;
  }
  const SessionTranscript session = open_session(path, revision);
  print("{}\n{}, {} long, from {}{}\n", session.path.string(), minute_text(session.started_at),
        position_text(session.seconds(session.end_frame)), session.source,
        check.is_open        ? " (open)"
        : session.stopped_at ? ""
                             : " (interrupted: dictum resume finishes it)");
  for (const std::string& problem : problems) print("!! {}\n", problem);
  for (const SessionNote& note : session.notes) {
    print("note \"{}\": {}\n", note.title, note.file.lexically_relative(session.path).string());
  }
  for (const TranscriptSegment& segment : session.segments) {
    std::string text = segment.text;
    if (segment.state != SegmentState::done) {
      text = fmt::format("[no text: {}]", segment.error ? segment.error->message : to_string(segment.state));
    }
    print("{:>9}  [{}] {}{}\n", position_text(session.seconds(segment.speech_start_frame)), segment.index, text,
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
