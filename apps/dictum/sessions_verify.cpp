#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "output.hpp"
#include "sessions_verbs.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string session;
  bool repair = false;
  bool json = false;
};

boost::json::object to_json(const SessionCheck& check) {
  boost::json::object json{{"session", check.name},
                           {"path", check.path.string()},
                           {"is_open", check.is_open},
                           {"finished", check.is_finished}};
  boost::json::array& problems = json["problems"].emplace_array();
  for (const SessionProblem& each : check.problems) {
    problems.push_back({{"file", each.file}, {"what", each.what}, {"can_be_repaired", each.can_be_repaired}});
  }
  const auto list = [&](const char* key, const std::vector<std::string>& sentences) {
    boost::json::array& array = json[key].emplace_array();
    for (const std::string& sentence : sentences) array.emplace_back(sentence);
  };
  list("known_losses", check.known_losses);
  list("repairs", check.repairs);
  return json;
}

void print_check(const SessionCheck& check) {
  print("{}: {}{}\n", check.name, check.problems.empty() ? "everything is there" : "not everything is there",
        check.is_open       ? " (open)"
        : check.is_finished ? ""
                            : " (unfinished: dictum resume finishes it)");
  for (const std::string& repair : check.repairs) print("  {}\n", repair);
  for (const SessionProblem& problem : check.problems) {
    print("  !! {}: {}{}\n", problem.file, problem.what, problem.can_be_repaired ? " (--repair makes it again)" : "");
  }
  for (const std::string& loss : check.known_losses) print("  known: {}\n", loss);
}

ExitCode verify(const fs::path& root, const Options& options) {
  std::vector<fs::path> sessions;
  if (!options.session.empty()) {
    sessions.push_back(find_session(root, options.session));
  } else {
    for (const SessionEntry& entry : list_sessions(root)) sessions.push_back(entry.path);
  }
  bool is_whole = true;
  boost::json::array all;
  for (const fs::path& session : sessions) {
    SessionCheck check;
    try {
      check = options.repair ? repair_session(session) : verify_session(session);
    } catch (const RecorderError& error) {
      if (!options.session.empty()) throw;
      check.path = session;
      check.name = session.filename().string();
      check.problems.push_back({"", error.what(), false});
    }
    is_whole = is_whole && check.problems.empty();
    if (options.json) {
      all.push_back(to_json(check));
    } else {
      print_check(check);
    }
  }
  if (options.json) print_json(all);
  if (!options.json && sessions.empty()) print("There are no sessions in {}.\n", root.string());
  return is_whole ? ExitCode::success : ExitCode::failure;
}

}  // namespace

void add_verify_verb(CLI::App& sessions, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      add_verb<Options>(sessions, code, "verify", "Verify that every file of a session is there and whole", options,
                        [](const fs::path& root, Options& given) { return verify(root, given); });
  command->add_option("SESSION", options->session, std::string(kSessionHelp) + "; none: all of them");
  command->add_flag("--repair", options->repair, "make again what the journal and the sound files still have");
  command->add_flag("--json", options->json, "print one JSON document");
}

}  // namespace dictum::program
