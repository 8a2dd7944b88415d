#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

#include "base/iso_time.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "journal/event_paths.hpp"
#include "journal/session_folder.hpp"
#include "output.hpp"
#include "search.hpp"
#include "session/library.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;
using session::Manifest;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  fs::path root() const { return session_root(config.resolve({})); }
  ConfigFlags config;
  std::string session;
  std::optional<std::size_t> number;
  bool json = false;
};

/// The notes of one session, with the place of each among them.
struct ListedNote {
  fs::path session;
  std::size_t number{};  // from 1
  const session::Note* note{};
  const Manifest* manifest{};

  std::chrono::system_clock::time_point said_at() const {
    const auto* first = note->segments.empty() ? nullptr : manifest->find(note->segments.front());
    return first == nullptr ? manifest->started_at : manifest->time_of_frame(first->speech_start_frame);
  }
  std::string text() const {
    std::string text;
    for (const std::uint32_t index : note->segments) {
      const auto* segment = manifest->find(index);
      if (segment != nullptr && !segment->text.empty()) text += (text.empty() ? "" : " ") + segment->text;
    }
    return text;
  }
};

std::vector<session::ListedSession> chosen_sessions(const Options& options) {
  const fs::path root = options.root();
  if (options.session.empty()) return session::list_sessions(root);
  const fs::path path = find_session(root, options.session);
  auto listed = session::look_at_session(path);
  if (!listed.manifest) throw RecorderError(Errc::session_unreadable, listed.problem);
  return {std::move(listed)};
}

std::vector<ListedNote> notes_of(const std::vector<session::ListedSession>& sessions) {
  std::vector<ListedNote> notes;
  for (const auto& listed : sessions) {
    if (!listed.manifest) continue;
    for (std::size_t i = 0; i < listed.manifest->notes.size(); ++i) {
      notes.push_back({listed.path, i + 1, &listed.manifest->notes[i], &*listed.manifest});
    }
  }
  return notes;
}

ExitCode list(const Options& options) {
  const auto sessions = chosen_sessions(options);
  const auto notes = notes_of(sessions);
  boost::json::array all;
  for (const ListedNote& each : notes) {
    if (!options.json) {
      print("{:<18} {:>2}  {}  {}\n", utf8::on_one_line(each.session.filename().string()), each.number,
            minute_text(each.said_at()), utf8::on_one_line(each.note->title));
      continue;
    }
    boost::json::array segments(each.note->segments.begin(), each.note->segments.end());
    all.push_back(boost::json::object{{"session", each.session.filename().string()},
                                      {"number", each.number},
                                      {"title", each.note->title},
                                      {"text", each.text()},
                                      {"path", (each.session / each.note->path).string()},
                                      {"said_at", iso_time(each.said_at())},
                                      {"segments", std::move(segments)}});
  }
  if (options.json) print_json(json::to_line(all));
  for (const auto& listed : sessions) {
    if (!listed.problem.empty()) print_error("{}", utf8::on_one_line(listed.problem));
  }
  if (notes.empty() && !options.json) print("There are no notes in {}.\n", options.root().string());
  return ExitCode::success;
}

ExitCode show(const Options& options) {
  const auto sessions = chosen_sessions(options);
  auto notes = notes_of(sessions);
  if (options.number) std::erase_if(notes, [&](const ListedNote& each) { return each.number != *options.number; });
  if (notes.empty()) {
    throw RecorderError(Errc::input_not_found,
                        fmt::format("The session '{}' has no {}.", options.session,
                                    options.number ? fmt::format("note {}", *options.number) : "notes"));
  }
  bool first = true;
  for (const ListedNote& each : notes) {
    if (!journal::is_inside(each.note->path)) {
      throw RecorderError(Errc::session_unreadable,
                          fmt::format("The note '{}' is not in its session.", each.note->path));
    }
    constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
    if (!std::exchange(first, false)) print("\n");
    std::istringstream text(journal::SessionFolder(each.session).read(each.note->path, kMaxBytes));
    for (std::string line; std::getline(text, line);) print("{}\n", utf8::on_one_line(line));
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
