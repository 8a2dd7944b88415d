#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "output.hpp"
#include "sessions_verbs.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string older_than;
  bool keep_notes = true;
  bool dry_run = false;
  bool json = false;
};

ExitCode prune(const fs::path& root, const Options& options) {
  const auto pruned = prune_sessions(
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
    print_json(boost::json::object{{"dry_run", options.dry_run},
                                   {"removed", std::move(removed)},
                                   {"bytes", pruned.bytes},
                                   {"left", std::move(left)}});
    return ExitCode::success;
  }
  for (const auto& path : pruned.removed) {
    print("{} {}\n", options.dry_run ? "Would delete" : "Deleted", path.string());
  }
  for (const auto& each : pruned.left) {
    print("Left {}: {}\n", each.session.string(), each.reason);
  }
  print("{} {}, {}{}\n", pruned.removed.size(), pruned.removed.size() == 1 ? "session" : "sessions",
        size_text(pruned.bytes), options.dry_run ? " would be deleted" : " deleted");
  return ExitCode::success;
}

}  // namespace

void add_prune_verb(CLI::App& sessions, ExitCode& code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = add_verb<Options>(sessions, code, "prune", "Delete finished sessions that are old", options,
                                        [](const fs::path& root, Options& given) { return prune(root, given); });
  command->add_option("--older-than", options->older_than, "how long ago they began (90d, 12h), or a local day")
      ->required();
  command->add_flag_callback(
      "--no-keep-notes", [options] { options->keep_notes = false; }, "delete sessions with notes too");
  command->add_flag("--dry-run", options->dry_run, "only say what would be deleted");
  command->add_flag("--json", options->json, "print one JSON document");
}

}  // namespace dictum::program
