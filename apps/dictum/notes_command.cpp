#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "output.hpp"
#include "search.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  fs::path root() const { return session_root(config.resolve({})); }
  ConfigFlags config;
  std::string session;
  std::optional<std::size_t> number;
  bool json = false;
};

/// A note, and its place among those of its session.
struct ListedNote {
  fs::path session;
  std::size_t number{};  // from 1
  SessionNote note;
};

void add_notes(std::vector<ListedNote>& all, const fs::path& session) {
  std::size_t number = 0;
  for (SessionNote& note : session_notes(session)) all.push_back({session, ++number, std::move(note)});
}

boost::json::object to_json(const ListedNote& listed) {
  const SessionNote& note = listed.note;
  return {{"session", listed.session.filename().string()},
          {"number", listed.number},
          {"title", note.title},
          {"text", note.text},
          {"path", note.file.string()},
          {"said_at", iso_time(note.said_at)},
          {"segments", boost::json::array(note.segments.begin(), note.segments.end())}};
}

ExitCode list(const Options& options) {
  const fs::path root = options.root();
  std::vector<ListedNote> notes;
  std::vector<std::string> problems;
  if (!options.session.empty()) {
    add_notes(notes, find_session(root, options.session));
  } else {
    for (const SessionEntry& entry : list_sessions(root)) {
      if (!entry.problem.empty()) problems.push_back(entry.problem);
      if (entry.notes == 0) continue;
      try {
        add_notes(notes, entry.path);
      } catch (const RecorderError& error) {  // it was deleted meanwhile, say
        problems.emplace_back(error.what());
      }
    }
  }
  if (options.json) {
    boost::json::array all;
    for (const ListedNote& each : notes) all.push_back(to_json(each));
    print_json(all);
  } else {
    for (const ListedNote& each : notes) {
      print("{:<18} {:>2}  {}  {}\n", each.session.filename().string(), each.number, minute_text(each.note.said_at),
            each.note.title);
    }
    if (notes.empty()) print("There are no notes in {}.\n", root.string());
  }
  for (const std::string& problem : problems) print_error("{}", problem);
  return ExitCode::success;
}

ExitCode show(const Options& options) {
  const fs::path session = find_session(options.root(), options.session);
  std::vector<ListedNote> notes;
  add_notes(notes, session);
  if (options.number) std::erase_if(notes, [&](const ListedNote& each) { return each.number != *options.number; });
  if (notes.empty()) {
    throw RecorderError(Errc::input_not_found,
                        fmt::format("The session '{}' has no {}.", options.session,
                                    options.number ? fmt::format("note {}", *options.number) : "notes"));
  }
  bool is_first = true;
  for (const ListedNote& each : notes) {
    std::istringstream text(read_note(session, each.note));
    if (!std::exchange(is_first, false)) print("\n");
    for (std::string line; std::getline(text, line);) print("{}\n", line);
  }
  return ExitCode::success;
}

}  // namespace

void add_notes_command(CLI::App& app, ExitCode& code) {
  CLI::App* notes = app.add_subcommand("notes", "List, read and search notes that were made by voice");
  notes->require_subcommand(1);

  CLI::App* list_command = notes->add_subcommand("list", "Every note, the oldest first");
  auto listing = std::make_shared<Options>(*list_command);
  list_command->add_option("--session", listing->session, "only of this session");
  list_command->add_flag("--json", listing->json, "print one JSON document");
  listing->config.add_root();
  list_command->callback([listing, &code] { code = list(*listing); });

  CLI::App* show_command = notes->add_subcommand("show", "A session's notes, or one of them, as Markdown");
  auto showing = std::make_shared<Options>(*show_command);
  show_command->add_option("SESSION", showing->session, "a name, the beginning of one, a folder, or \"last\"")
      ->required();
  show_command->add_option("NUMBER", showing->number, "of the note, from 1");
  showing->config.add_root();
  show_command->callback([showing, &code] { code = show(*showing); });

  CLI::App* search_command = notes->add_subcommand("search", "Find notes by title and text, the newest first");
  auto place = std::make_shared<Options>(*search_command);
  auto searching = std::make_shared<SearchOptions>();
  searching->add_to(*search_command);
  place->config.add_root();
  search_command->callback(
      [place, searching, &code] { code = search(place->root(), *searching, SessionSearch::Scope::notes); });
}

}  // namespace dictum::program
