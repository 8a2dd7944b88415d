#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>

#include "base/iso_time.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "journal/session_directory.hpp"
#include "new_file.hpp"
#include "search.hpp"
#include "session/exporter.hpp"
#include "session/index.hpp"
#include "session/library.hpp"
#include "sessions_verbs.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;
using session::Manifest;
using session::SegmentStatus;

// list

std::size_t kept_segments(const Manifest& manifest) {
  return static_cast<std::size_t>(std::ranges::count_if(manifest.segments, &session::Segment::is_kept));
}

std::string first_text(const Manifest& manifest) {
  const auto found = std::ranges::find_if(manifest.segments, [](const auto& segment) { return !segment.text.empty(); });
  return found == manifest.segments.end() ? std::string() : utf8::on_one_line(found->text);
}

boost::json::object to_json(const session::ListedSession& listed) {
  boost::json::object json{{"session", listed.name}, {"path", listed.path.string()}, {"is_open", listed.is_open}};
  const auto started = listed.started_at();
  json["started_at"] = started ? boost::json::value(iso_time(*started)) : nullptr;
  if (listed.manifest) {
    const Manifest& manifest = *listed.manifest;
    json["finished"] =
        manifest.stopped_at.has_value() && std::ranges::all_of(manifest.segments, &session::Segment::is_settled);
    json["duration_sec"] = manifest.seconds(manifest.end_frame);
    json["segments"] = kept_segments(manifest);
    json["notes"] = manifest.notes.size();
    json["text"] = first_text(manifest);
  }
  json["problem"] = listed.problem.empty() ? boost::json::value(nullptr) : boost::json::value(listed.problem);
  return json;
}

ExitCode list(const fs::path& root, bool as_json) {
  const auto sessions = session::list_sessions(root);
  if (as_json) {
    boost::json::array all;
    for (const auto& listed : sessions) all.push_back(to_json(listed));
    fmt::print("{}\n", json::to_line(all));
    return ExitCode::success;
  }
  for (const auto& listed : sessions) {
    const auto started = listed.started_at();
    const std::string name = utf8::on_one_line(listed.name);
    fmt::print("{:<18} {:<16}", name, started ? minute_text(*started) : "");
    if (listed.manifest) {
      constexpr std::size_t kMost = 60;
      const Manifest& manifest = *listed.manifest;
      std::string text = first_text(manifest);
      if (text.size() > kMost) text.resize(std::min(text.find(' ', kMost), text.size()));
      fmt::print(" {:>9}  {:>4} segments {:>3} notes  {}", position_text(manifest.seconds(manifest.end_frame)),
                 kept_segments(manifest), manifest.notes.size(), listed.is_open ? "(open) " + text : text);
    }
    fmt::print("\n");
    if (!listed.problem.empty()) fmt::print("  !! {}\n", utf8::on_one_line(listed.problem));
  }
  if (sessions.empty()) fmt::print("There are no sessions in {}.\n", root.string());
  return ExitCode::success;
}

// show

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
    fmt::print("{}\n", json::to_line(json));
    return ExitCode::success;
  }
  fmt::print("{}\n{} UTC, {} long, from {}{}\n", listed.path.string(), minute_text(manifest.started_at),
             position_text(manifest.seconds(manifest.end_frame)), utf8::on_one_line(manifest.source),
             listed.is_open        ? " (open)"
             : manifest.stopped_at ? ""
                                   : " (interrupted: dictum resume finishes it)");
  for (const auto& problem : problems) fmt::print("!! {}\n", utf8::on_one_line(problem));
  for (const auto& note : manifest.notes) {
    fmt::print("note \"{}\": {}\n", utf8::on_one_line(note.title), utf8::on_one_line(note.path));
  }
  for (const auto& segment : manifest.segments) {
    if (!segment.is_kept()) continue;
    std::string text = utf8::on_one_line(segment.text);
    if (segment.status != SegmentStatus::done) {
      text = fmt::format("[no text: {}]",
                         segment.error ? utf8::on_one_line(segment.error->message) : to_string(segment.status));
    }
    fmt::print("{:>9}  [{}] {}{}\n", position_text(manifest.seconds(segment.speech_start_frame)), segment.index, text,
               segment.revision > 0 ? fmt::format("  (revision {})", segment.revision) : "");
  }
  return ExitCode::success;
}

// export

struct ExportOptions {
  std::string session;
  std::string file;
  std::string format;
  std::optional<int> revision;
  bool timeline = false;
};

ExitCode export_session(const fs::path& root, const ExportOptions& options) {
  const fs::path path = session::find_session(root, options.session);
  std::string format = options.format;
  if (format.empty()) format = fs::path(options.file).extension().string();
  if (format.starts_with('.')) format.erase(0, 1);
  if (const auto text = session::text_format(format)) {
    const std::string content = session::export_text(session::read_script(path, options.revision), *text);
    if (options.file == "-") {
      fmt::print("{}", content);
    } else {
      write_new_file(options.file, content);
    }
    return ExitCode::success;
  }
  if (format != "wav" && format != "flac") {
    throw UsageError(
        fmt::format("'{}' is no format: FILE ends in .txt, .srt, .vtt, .json, .md, .flac or .wav, or "
                    "--format says which",
                    format));
  }
  if (options.file == "-") throw UsageError("sound is exported to a file, not to standard output");
  const auto problems = session::export_audio(
      path, options.file, options.timeline ? session::AudioExtent::timeline : session::AudioExtent::kept);
  for (const auto& problem : problems) fmt::print(stderr, "dictum: {}\n", utf8::on_one_line(problem));
  return problems.empty() ? ExitCode::success : ExitCode::failure;
}

// delete and prune

ExitCode remove(const fs::path& root, const std::vector<std::string>& names, bool yes) {
  std::vector<fs::path> sessions;
  for (const auto& name : names) sessions.push_back(session::find_session(root, name));
  if (!yes) {
    for (const auto& path : sessions) fmt::print("{}  {}\n", path.string(), size_text(session::size_of(path)));
    throw UsageError("nothing was deleted: add --yes to delete for good, with sound, texts and notes");
  }
  for (const auto& path : sessions) {
    session::delete_session(path);
    fmt::print("Deleted {}\n", path.string());
  }
  return ExitCode::success;
}

struct PruneOptions {
  std::string older_than;
  bool keep_notes = false;
  bool dry_run = false;
  bool json = false;
};

ExitCode prune(const fs::path& root, const PruneOptions& options) {
  const auto pruned = session::prune(
      root, {.before = parse_moment(options.older_than, "--older-than", std::chrono::system_clock::now()),
             .keep_notes = options.keep_notes,
             .dry_run = options.dry_run});
  if (options.json) {
    boost::json::array removed;
    boost::json::array left;
    for (const auto& path : pruned.removed) removed.emplace_back(path.string());
    for (const auto& each : pruned.left) {
      left.push_back(boost::json::object{{"session", each.session.string()}, {"reason", each.reason}});
    }
    fmt::print("{}\n", json::to_line(boost::json::object{{"dry_run", options.dry_run},
                                                         {"removed", std::move(removed)},
                                                         {"bytes", pruned.bytes},
                                                         {"left", std::move(left)}}));
    return ExitCode::success;
  }
  for (const auto& path : pruned.removed) {
    fmt::print("{} {}\n", options.dry_run ? "Would delete" : "Deleted", path.string());
  }
  for (const auto& each : pruned.left) {
    fmt::print("Left {}: {}\n", each.session.string(), utf8::on_one_line(each.reason));
  }
  fmt::print("{} {}, {}{}\n", pruned.removed.size(), pruned.removed.size() == 1 ? "session" : "sessions",
             size_text(pruned.bytes), options.dry_run ? " would be deleted" : " deleted");
  return ExitCode::success;
}

ExitCode reindex(const fs::path& root) {
  session::SessionIndex(root).rebuild();
  const auto sessions = session::list_sessions(root);
  fmt::print("Indexed {} sessions in {}\n", sessions.size(), session::SessionIndex::file_in(root).string());
  return ExitCode::success;
}

/// One verb: its options, and what it does with the root once they are read.
template <class Options>
CLI::App* add_verb(CLI::App& sessions, ExitCode& code, const char* verb, const char* help,
                   const std::shared_ptr<Options>& options, std::function<ExitCode(const fs::path&, Options&)> run) {
  CLI::App* command = sessions.add_subcommand(verb, help);
  auto flags = std::make_shared<ConfigFlags>(*command);
  flags->add_root();
  command->callback([=, &code] { code = run(journal::session_root(flags->resolve({})), *options); });
  return command;
}

}  // namespace

void add_sessions_command(CLI::App& app, ExitCode& code) {
  CLI::App* sessions =
      app.add_subcommand("sessions", "List, read, search, play, correct, export and delete what was recorded");
  sessions->require_subcommand(1);
  constexpr const char* kSession = "a name, the beginning of one, a folder, or \"last\"";

  auto listing = std::make_shared<bool>();
  add_verb<bool>(*sessions, code, "list", "Every session, the oldest first, with what is wrong with it", listing,
                 [](const fs::path& root, bool& as_json) { return list(root, as_json); })
      ->add_flag("--json", *listing, "print one JSON document");

  struct ShowOptions {
    std::string session;
    std::optional<int> revision;
    bool json = false;
  };
  auto showing = std::make_shared<ShowOptions>();
  CLI::App* show_command =
      add_verb<ShowOptions>(*sessions, code, "show", "What was said in a session, and whether all of it is there",
                            showing, [](const fs::path& root, ShowOptions& options) {
                              return show(session::find_session(root, options.session), options.revision, options.json);
                            });
  show_command->add_option("SESSION", showing->session, kSession)->required();
  show_command->add_option("--revision", showing->revision, "the texts as they were then; 0 is the first")
      ->check(CLI::NonNegativeNumber);
  show_command->add_flag("--json", showing->json, "print one JSON document");

  auto searching = std::make_shared<SearchOptions>();
  searching->add_to(*add_verb<SearchOptions>(*sessions, code, "search", "Find what was said, the newest first",
                                             searching, [](const fs::path& root, SearchOptions& options) {
                                               return search(root, options, session::SearchQuery::Scope::everything);
                                             }));

  auto exporting = std::make_shared<ExportOptions>();
  CLI::App* export_command = add_verb<ExportOptions>(
      *sessions, code, "export", "Write a session as text, subtitles, or one sound file", exporting,
      [](const fs::path& root, ExportOptions& options) { return export_session(root, options); });
  export_command->add_option("SESSION", exporting->session, kSession)->required();
  export_command
      ->add_option("FILE", exporting->file, "ends in .txt, .srt, .vtt, .json, .md, .flac or .wav; - is standard output")
      ->required();
  export_command->add_option("--format", exporting->format, "in place of FILE's ending");
  export_command->add_option("--revision", exporting->revision, "the texts as they were then; 0 is the first")
      ->check(CLI::NonNegativeNumber);
  export_command->add_flag("--timeline", exporting->timeline,
                           "sound: the whole timeline, silence in the place of what was not kept");

  struct DeleteOptions {
    std::vector<std::string> sessions;
    bool yes = false;
  };
  auto deleting = std::make_shared<DeleteOptions>();
  CLI::App* delete_command = add_verb<DeleteOptions>(
      *sessions, code, "delete", "Delete sessions for good", deleting,
      [](const fs::path& root, DeleteOptions& options) { return remove(root, options.sessions, options.yes); });
  delete_command->add_option("SESSION", deleting->sessions, kSession)->required();
  delete_command->add_flag("--yes", deleting->yes, "really");

  auto pruning = std::make_shared<PruneOptions>();
  CLI::App* prune_command =
      add_verb<PruneOptions>(*sessions, code, "prune", "Delete finished sessions that are old", pruning,
                             [](const fs::path& root, PruneOptions& options) { return prune(root, options); });
  prune_command->add_option("--older-than", pruning->older_than, "how long ago they began (90d, 12h), or a day")
      ->required();
  prune_command->add_flag("--keep-notes", pruning->keep_notes, "sessions with notes stay");
  prune_command->add_flag("--dry-run", pruning->dry_run, "only tell what would go");
  prune_command->add_flag("--json", pruning->json, "print one JSON document");

  struct None {};
  add_verb<None>(*sessions, code, "reindex", "Make the search index again from the files", std::make_shared<None>(),
                 [](const fs::path& root, None&) { return reindex(root); });

  add_play_verb(*sessions, code);
  add_edit_verb(*sessions, code);
}

}  // namespace dictum::program
